/* pneu-policy(8): asks a policy server of Postfix's, as one of pneu-hookd's programs. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "lib/exits.h"
#include "lib/log.h"
#include "smtpd/delegate.h"

#define USAGE "pneu-policy [ -oy ] [ -t seconds ] unix:path | inet:address:port"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

#define SECONDS 20
#define FIELDS 3 /* the descriptor for header fields */

/* Nobody answers: later, or with -o go on. */
static int
unreachable(int open, char const *what)
{
    struct log l;
    int e = errno;

    log_start(&l, "policy");
    log_str(&l, "failed", what);
    log_errno(&l, e);
    log_end(&l);
    if (open)
        return 0;
    static char const text[] = "451 4.3.5 the policy of this server cannot be asked\n";
    (void)!write(1, text, sizeof text - 1);
    return EXIT_TEMP;
}

static void
tell(struct delegate_action const *a, int fields)
{
    struct log l;

    (void)!write(1, a->text.s, a->text.len);
    if (fields && a->field.len)
        (void)!write(FIELDS, a->field.s, a->field.len);
    if (!a->note.len)
        return;
    log_start(&l, "policy");
    log_bytes(&l, "note", a->note.s, a->note.len - 1);
    log_end(&l);
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct delegate_address address;
    struct delegate_action action = {.text = STRALLOC_ZERO};
    stralloc request = STRALLOC_ZERO, reply = STRALLOC_ZERO;
    unsigned int seconds = SECONDS;
    int open = 0, ok = 0, fields = fcntl(FIELDS, F_GETFD) != -1;
    tain deadline;

    PROG = "pneu-policy";
    for (int o; (o = subgetopt_r(argc, argv, "oyt:", &opts)) != -1;) {
        if (o == 'o')
            open = 1;
        else if (o == 'y')
            ok = 99;
        else if (o != 't' || !uint0_scan(opts.arg, &seconds) || !seconds || seconds > 86400)
            dieusage();
    }
    argv += opts.ind;
    if (!argv[0] || argv[1] || !delegate_address_scan(argv[0], &address))
        dieusage();
    tain_now_set_stopwatch_g();
    tain_addsec_g(&deadline, (int)seconds);
    int fd = delegate_connect(&address, &deadline);
    if (fd == -1)
        _exit(unreachable(open, "connect"));
    if (!delegate_confine())
        strerr_diefusys(EXIT_TEMP, "confine myself");
    if (!delegate_request(&request))
        strerr_diefusys(EXIT_TEMP, "make a request");
    if (!delegate_ask(fd, &request, &reply, &deadline))
        _exit(unreachable(open, "ask"));
    if (!delegate_action_scan((struct bytes){reply.s, reply.len}, ok, &action))
        strerr_diefusys(EXIT_TEMP, "understand the reply");
    tell(&action, fields);
    _exit(action.exit); /* memory goes with the process */
}
