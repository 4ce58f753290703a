/* pneu-queued(8): the queue's door. Takes messages over the intake protocol and
 * writes each into a file of the queue. */

#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "lib/serve.h"
#include "queue/callers.h"
#include "queue/queued.h"
#include "queue/trigger.h"

#define USAGE "pneu-queued"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

struct daemon {
    struct callers callers;
    struct queued queued;
    struct receive receive;
    uint32_t timeout;
};

static int
read_settings(struct daemon *d, char const **which)
{
    struct control_number const wanted[] = {
        {SET_intakesessions, &d->callers.sessions},
        {SET_intakeperuid, &d->callers.peruid},
        {SET_timeoutintake, &d->timeout},
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which) && queued_settings(&d->queued, which);
}

/* A setting that turns bad does not stop the mail: what was read before counts
 * on. */
static void
refresh(void *data)
{
    struct daemon *d = data;
    char const *which;

    if (!read_settings(d, &which))
        strerr_warnwu2sys("read ", which);
    if (d->queued.trigger == -1)
        d->queued.trigger = trigger_open();
}

static void
session(void *data, int fd, uint64_t uid, size_t slot)
{
    struct daemon *d = data;

    queued_session(&d->queued, (uint32_t)uid, slot);
    receive_begin(&d->receive, &queued_ops, &d->queued);
    receive_run(&d->receive, fd, d->timeout);
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
    space_give(&d->queued.space, slot);
}

/* Whose word on login, client, origin and listener counts. */
static void
trust(struct queued *q, struct callers const *c)
{
    q->pneud = c->pneud;
    q->pneuf = c->pneuf;
    q->pneuq = c->pneuq;
}

int
main(int argc, char const *const *argv)
{
    static struct daemon d = {.queued = {.commit = COMMIT_ZERO}, .receive = RECEIVE_ZERO};
    struct serve s = {
        .again = 1,
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

    PROG = "pneu-queued";
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
    trust(&d.queued, &d.callers);
    if (!commit_init(&d.queued.commit))
        strerr_diefusys(EXIT_TEMP, "open queue/new");
    d.queued.trigger = trigger_open();
    s.slots = d.callers.sessions;
    signals = serve_init(&s);
    if (signals == -1 || !space_init(&d.queued.space, s.slots))
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (!queued_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
