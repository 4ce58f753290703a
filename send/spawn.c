#include "send/spawn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/iopause.h>

#include "lib/log.h"
#include "send/spawnroot.h"

#define TICK 60 /* seconds without anything to do */

static void
say(char const *event, int e)
{
    struct log l;

    log_start(&l, event);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

/* ---- pneu-send ---- */

static void
hang_up(struct spawn *s)
{
    jobwire_free(&s->send);
    s->send = (struct jobwire)JOBWIRE_ZERO;
    s->broken = 0;
    s->session++;
}

/* The next connection, if nobody is connected: a pneu-send that has just died may
 * not be noticed yet, its successor waits until it is. */
static void
take_connection(struct spawn *s)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd = accept4(s->listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd == -1) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            say("accept-failed", errno);
            tain_addsec_g(&s->deaf, 1); /* out of descriptors, for example */
        }
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 || peer.uid != s->peer) {
        struct log l;
        log_start(&l, "refused");
        log_uint(&l, "uid", peer.uid);
        log_end(&l);
        close(fd);
        return;
    }
    if (!jobwire_init(&s->send, fd))
        close(fd);
}

/* Takes what pneu-send has said. Returns 1, or 0 with errno: hang up. */
static int
hear(struct spawn *s)
{
    struct bytes frame;
    int got = jobwire_fill(&s->send);

    if (got == -1)
        return 0;
    while ((got = jobwire_take(&s->send, JOB_MAX, &frame)) == 1) {
        int fd = jobwire_takefd(&s->send);
        if (fd == -1 || !spawn_order(s, frame, fd))
            return 0;
    }
    return got == 0;
}

static void
attend(struct spawn *s, int readable)
{
    int good = s->send.fd == -1 || !readable || hear(s);
    int e = good || errno == EPIPE || errno == ECONNRESET ? 0 : errno;

    if (s->send.fd == -1)
        return;
    if (good && !s->broken && jobwire_flush(&s->send) != -1)
        return;
    say("sender-gone", e);
    hang_up(s);
}

/* ---- the loop ---- */

static short
wanted(struct jobwire const *w)
{
    return (short)(IOPAUSE_READ | (w->out.len > w->sent ? IOPAUSE_WRITE : 0));
}

/* Fills x; which[i] is the worker of x[i] from the third on. */
static unsigned int
gather(struct spawn *s, iopause_fd *x, struct spawn_worker **which)
{
    unsigned int n = 2;

    x[0] = (iopause_fd){.fd = s->root, .events = IOPAUSE_READ};
    x[1] = (iopause_fd){.fd = s->send.fd, .events = wanted(&s->send)};
    if (s->send.fd == -1)
        x[1] = (iopause_fd){.fd = tain_future(&s->deaf) ? -1 : s->listener, .events = IOPAUSE_READ};
    for (unsigned int i = 0; i < s->workers; i++)
        if (s->worker[i].wire.fd != -1) {
            which[n] = s->worker + i;
            x[n++] = (iopause_fd){.fd = s->worker[i].wire.fd, .events = wanted(&s->worker[i].wire)};
        }
    return n;
}

int
spawn_serve(struct spawn *s)
{
    iopause_fd x[SPAWN_WORKERS_MAX + 2];
    struct spawn_worker *which[SPAWN_WORKERS_MAX + 2];
    tain next = TAIN_ZERO;

    s->last = &s->waiting;
    tain_now_set_stopwatch_g();
    for (;;) {
        /* Slots that are free now, then who gets them, then when next. */
        workers_tick(s, &next);
        if (!workers_dispatch(s))
            return (errno = EPIPE, 0);
        attend(s, 0);
        tain_addsec_g(&next, TICK);
        workers_tick(s, &next);
        if (s->send.fd == -1 && tain_future(&s->deaf) && tain_less(&s->deaf, &next))
            next = s->deaf;
        if (s->waiting && tain_future(&s->pause) && tain_less(&s->pause, &next))
            next = s->pause;
        unsigned int n = gather(s, x, which);
        if (iopause_g(x, n, &next) == -1 && errno != EINTR)
            return 0;
        /* The starter never speaks first: this is its end. */
        if (x[0].revents)
            return (errno = EPIPE, 0);
        for (unsigned int i = 2; i < n; i++)
            if (x[i].revents && which[i]->wire.fd == x[i].fd)
                workers_turn(s, which[i]);
        if (!x[1].revents)
            continue;
        if (s->send.fd != -1)
            attend(s, 1);
        else if (x[1].fd == s->listener)
            take_connection(s);
    }
}
