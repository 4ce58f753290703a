/* pneu-local(8): deliver a message to a user of this system or to a virtual
 * mailbox, as the dot-qmail file says. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "local/program.h"
#include "local/sandbox.h"
#include "local/worker.h"
#include "queue/id.h"

#define USAGE                                                                                                          \
    "pneu-local [ -nN ] user homedir local dash ext domain sender "                                                    \
    "defaultdelivery | pneu-local -j [ homedir ]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

#define MAIL "mail" /* the virtual mailboxes */

static uint32_t
program_seconds(void)
{
    uint32_t seconds;

    if (!control_uint(SET_timeoutprogram, &seconds))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_timeoutprogram));
    return seconds;
}

static void
confine_to(char const *folder)
{
    if (!local_confine(folder))
        strerr_diefusys(EXIT_TEMP, "confine itself");
}

static int
work(char const *home)
{
    struct helper helper = {.watch = 0};
    stralloc defaults = STRALLOC_ZERO;

    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (control_list(SET_defaultdelivery, &defaults) != 1)
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_defaultdelivery));
    for (size_t i = 0; i < defaults.len; i++)
        if (!defaults.s[i])
            defaults.s[i] = '\n';
    if (home && !helper_start(&helper, home, program_seconds()))
        strerr_diefusys(EXIT_TEMP, "start its helper");
    confine_to(home ? home : MAIL);
    if (!local_work(0, home, home ? &helper : 0, (struct bytes){defaults.s, defaults.len}))
        strerr_diefusys(EXIT_TEMP, "take a job");
    return 0;
}

/* The words of qmail-local: a line of text, and an exit code. */
static int
report(struct outcome const *o, int show)
{
    struct iovec parts[] = {{0, 0}, {0, 0}};
    char code[32] = "\n";

    if (o->class == 'K' && show)
        return 0;
    if (o->class != 'K') {
        strcpy(code, " (#");
        strcat(code, o->code);
        strcat(code, ")\n");
    }
    memcpy(&parts[0].iov_base, &(char const *){o->text}, sizeof(char *));
    parts[0].iov_len = strlen(o->text);
    parts[1].iov_base = code;
    parts[1].iov_len = strlen(code);
    (void)!allwritev(1, parts, 2);
    return o->class == 'K' ? 0 : o->class == 'D' ? EXIT_PERM : EXIT_TEMP;
}

static int
once(char const *const *argv, int show)
{
    static struct message message;
    struct delivery d = DELIVERY_ZERO;
    struct helper helper = {.watch = -1};
    struct outcome o;
    struct stat st = {.st_size = 0};
    char id[ID_SIZE];

    d.user = argv[0], d.home = argv[1], d.local = argv[2], d.dash = argv[3];
    d.ext = argv[4], d.host = argv[5], d.sender = argv[6];
    d.defaults = (struct bytes){argv[7], strlen(argv[7])};
    if (*d.home != '/')
        dieusage();
    /* Without an instance everything but forwards works. */
    int instance = control_home();
    if (!id_new(id) || !delivery_lines(&d, (uint64_t)time(0)))
        strerr_diefusys(EXIT_TEMP, "make a name");
    if (!show && (fstat(0, &st) == -1 || !S_ISREG(st.st_mode) || !message_open(&message, 0, (uint64_t)st.st_size)))
        strerr_dief(EXIT_TEMP, "message is not a file that can be read");
    d.uid = geteuid();
    d.gid = getegid();
    d.id = id;
    d.message = &message;
    if (!show) {
        if (!helper_start(&helper, d.home, instance ? program_seconds() : 3600))
            strerr_diefusys(EXIT_TEMP, "start its helper");
        d.helper = &helper;
    }
    confine_to(d.home);
    delivery_do(&d, show, &o);
    return report(&o, show);
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    int show = 0, jobs = 0;

    PROG = "pneu-local";
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "begin");
    for (int c; (c = subgetopt_r(argc, argv, "nNj", &opts)) != -1;)
        switch (c) {
        case 'n':
            show = 1;
            break;
        case 'N':
            show = 0;
            break;
        case 'j':
            jobs = 1;
            break;
        default:
            dieusage();
        }
    argc -= opts.ind;
    argv += opts.ind;
    umask(077);
    /* A full disk, a limit, a reader that went away: errors, not deaths. */
    if (sig_ignore(SIGPIPE) == -1 || sig_ignore(SIGXFSZ) == -1)
        strerr_diefusys(EXIT_TEMP, "ignore signals");
    if (jobs)
        return argc > 1 ? (dieusage(), EXIT_PERM) : work(argv[0]);
    if (argc != 8)
        dieusage();
    return once(argv, show);
}
