/* pneu-hookd(8): runs the operator's programs that judge clients, senders, recipients and messages. */

#include <signal.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "queue/serve.h"
#include "smtpd/hookd.h"

#define USAGE "pneu-hookd"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static int
read_settings(struct serve *s, char const **which)
{
    struct control_number const wanted[] = {{SET_checksessions, &s->sessions}};

    return control_uints(wanted, 1, which);
}

static void
refresh(struct serve *s)
{
    char const *which;

    if (!read_settings(s, &which))
        strerr_warnwu2sys("read ", which);
}

/* The socket is for pneu-smtpd: nobody else learns what the programs say, or makes them run. */
static void
session(void *data, int fd, uint32_t uid, size_t slot)
{
    uint32_t const *own = data;
    struct log l;

    if (uid == own[0] || uid == own[1]) {
        hookd_session(fd);
        return;
    }
    log_start(&l, "refused");
    log_uint(&l, "uid", uid);
    log_str(&l, "reason", "stranger");
    log_end(&l);
}

static void
gone(void *data, size_t slot)
{
}

int
main(int argc, char const *const *argv)
{
    uint32_t own[SERVE_OWN], gid;
    struct serve s = {.data = own, .refresh = refresh, .session = session, .gone = gone, .peruid = 0};
    char const *which;
    int signals;

    PROG = "pneu-hookd";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize()) /* else a program's input might be where the log goes */
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&s, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (!users_id("pneud", own, &gid))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
    own[1] = geteuid();
    own[2] = own[0];
    for (unsigned int i = 0; i < SERVE_OWN; i++)
        s.own[i] = own[i];
    tain_now_set_stopwatch_g();
    signals = s.sessions ? serve_init(&s, s.sessions) : -1;
    if (signals == -1)
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        strerr_diefusys(EXIT_TEMP, "ignore SIGPIPE");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
