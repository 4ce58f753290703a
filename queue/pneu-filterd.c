/* pneu-filterd(8): the intake where there is a filter. Every message passes control/filter's programs on its way to pneu-queue. */

#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "lib/serve.h"
#include "queue/callers.h"
#include "queue/filterd.h"

#define USAGE "pneu-filterd"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

struct daemon {
    struct callers callers;
    struct filterd filterd;
    uint32_t timeout;
};

static int
read_settings(struct daemon *d, char const **which)
{
    struct control_number const wanted[] = {
        {SET_intakesessions, &d->callers.sessions},
        {SET_intakeperuid, &d->callers.peruid},
        {SET_timeoutintake, &d->timeout},
        {SET_timeoutprogram, &d->filterd.seconds},
        {SET_databytes, &d->filterd.databytes},
        {SET_minfree, &d->filterd.space.minfree},
        {SET_minfreeinodes, &d->filterd.space.minfreeinodes},
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which);
}

static void
refresh(void *data)
{
    char const *which;

    if (!read_settings(data, &which))
        strerr_warnwu2sys("read ", which);
}

static void
session(void *data, int fd, uint64_t uid, size_t slot)
{
    struct daemon *d = data;
    struct receive r = RECEIVE_ZERO;

    if (!filterd_session(&d->filterd, (uint32_t)uid, slot, fd)) {
        strerr_warnwusys("prepare a session");
        _exit(EXIT_TEMP);
    }
    r.ops = &filterd_ops;
    r.data = &d->filterd;
    receive_run(&r, fd, d->timeout);
}

static int
admits(struct serve const *s, uint64_t uid)
{
    struct daemon const *d = s->data;

    return callers_admit(&d->callers, s, uid);
}

static void
gone(void *data, size_t slot, struct serve_child const *child, int sig)
{
    struct daemon *d = data;

    if (sig)
        callers_died(child, sig);
    space_give(&d->filterd.space, slot);
}

int
main(int argc, char const *const *argv)
{
    static struct daemon d;
    struct serve s = {
        .data = &d,
        .who = callers_who,
        .admits = admits,
        .refuse = callers_refuse,
        .refresh = refresh,
        .session = session,
        .gone = gone,
    };
    char const *which;
    int signals;

    PROG = "pneu-filterd";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize()) /* else a file of the queue might be where the log goes */
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&d, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (!callers_ids(&d.callers))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
    d.filterd.pneud = d.callers.pneud;
    d.filterd.pneuf = d.callers.pneuf;
    d.filterd.pneuq = d.callers.pneuq;
    s.slots = d.callers.sessions;
    signals = serve_init(&s);
    if (signals == -1 || !space_init(&d.filterd.space, s.slots))
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
