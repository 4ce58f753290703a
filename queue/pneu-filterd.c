/* pneu-filterd(8): the intake where there is a filter. Every message passes control/filter's programs on its way to pneu-queue. */

#include <signal.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "queue/filterd.h"
#include "queue/serve.h"

#define USAGE "pneu-filterd"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

struct daemon {
    struct filterd filterd;
    uint32_t timeout;
};

static int
read_settings(struct serve *s, char const **which)
{
    struct daemon *d = s->data;
    struct control_number const wanted[] = {
        {SET_intakesessions, &s->sessions},
        {SET_intakeperuid, &s->peruid},
        {SET_timeoutintake, &d->timeout},
        {SET_timeoutprogram, &d->filterd.seconds},
        {SET_databytes, &d->filterd.databytes},
        {SET_minfree, &d->filterd.space.minfree},
        {SET_minfreeinodes, &d->filterd.space.minfreeinodes},
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which);
}

static void
refresh(struct serve *s)
{
    char const *which;

    if (!read_settings(s, &which))
        strerr_warnwu2sys("read ", which);
}

static void
session(void *data, int fd, uint32_t uid, size_t slot)
{
    struct daemon *d = data;
    struct receive r = RECEIVE_ZERO;

    if (!filterd_session(&d->filterd, uid, slot, fd)) {
        strerr_warnwusys("prepare a session");
        _exit(EXIT_TEMP);
    }
    r.ops = &filterd_ops;
    r.data = &d->filterd;
    receive_run(&r, fd, d->timeout);
}

static void
gone(void *data, size_t slot)
{
    struct daemon *d = data;

    space_give(&d->filterd.space, slot);
}

int
main(int argc, char const *const *argv)
{
    static struct daemon d;
    struct serve s = {.data = &d, .refresh = refresh, .session = session, .gone = gone};
    char const *which;
    uint32_t gid;
    int signals;

    PROG = "pneu-filterd";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize()) /* else a file of the queue might be where the log goes */
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&s, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (!users_id("pneud", &d.filterd.pneud, &gid) || !users_id("pneuf", &d.filterd.pneuf, &gid) ||
        !users_id("pneuq", &d.filterd.pneuq, &gid))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
    s.own[0] = d.filterd.pneud;
    s.own[1] = d.filterd.pneuf;
    s.own[2] = d.filterd.pneuq;
    signals = s.sessions ? serve_init(&s, s.sessions) : -1;
    if (signals == -1 || !space_init(&d.filterd.space, s.slots))
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        strerr_diefusys(EXIT_TEMP, "ignore SIGPIPE");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
