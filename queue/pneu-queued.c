/* pneu-queued(8): the queue's door. Takes messages over the intake protocol and
 * writes each into a file of the queue. */

#include <signal.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "queue/queued.h"
#include "queue/serve.h"
#include "queue/trigger.h"

#define USAGE "pneu-queued"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

struct daemon {
    struct queued queued;
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
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which) && queued_settings(&d->queued, which);
}

/* A setting that turns bad does not stop the mail: what was read before counts
 * on. */
static void
refresh(struct serve *s)
{
    struct daemon *d = s->data;
    char const *which;

    if (!read_settings(s, &which))
        strerr_warnwu2sys("read ", which);
    if (d->queued.trigger == -1)
        d->queued.trigger = trigger_open();
}

static void
session(void *data, int fd, uint32_t uid, size_t slot)
{
    struct daemon *d = data;
    struct receive r = RECEIVE_ZERO;

    queued_session(&d->queued, uid, slot);
    r.ops = &queued_ops;
    r.data = &d->queued;
    receive_run(&r, fd, d->timeout);
}

static void
gone(void *data, size_t slot)
{
    struct daemon *d = data;

    space_give(&d->queued.space, slot);
}

static void
find_ids(struct queued *q)
{
    uint32_t gid;

    if (!users_id("pneud", &q->pneud, &gid) || !users_id("pneuf", &q->pneuf, &gid) ||
        !users_id("pneuq", &q->pneuq, &gid))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
}

int
main(int argc, char const *const *argv)
{
    static struct daemon d = {.queued = {.commit = COMMIT_ZERO}};
    struct serve s = {.data = &d, .refresh = refresh, .session = session, .gone = gone};
    char const *which;
    int signals;

    PROG = "pneu-queued";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize()) /* else a file of the queue might be where the log goes */
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&s, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    find_ids(&d.queued);
    s.own[0] = d.queued.pneud;
    s.own[1] = d.queued.pneuf;
    s.own[2] = d.queued.pneuq;
    if (!commit_init(&d.queued.commit))
        strerr_diefusys(EXIT_TEMP, "open queue/new");
    d.queued.trigger = trigger_open();
    signals = s.sessions ? serve_init(&s, s.sessions) : -1;
    if (signals == -1 || !space_init(&d.queued.space, s.slots))
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || !queued_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
