/* A socket gets its timeout once (SO_RCVTIMEO, SO_SNDTIMEO), which spares a poll before each read; pipes, and the last
 * seconds of a session, are polled. */

#include "smtpd/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <skalibs/iopause.h>

#define PIPE_PIECE 4096 /* PIPE_BUF: what a pipe that polls writable takes without blocking */

static int
set_timeout(int fd, int which, uint32_t seconds)
{
    struct timeval t = {.tv_sec = seconds};

    return setsockopt(fd, SOL_SOCKET, which, &t, sizeof t) == 0;
}

void
wire_init(struct wire *w, uint32_t timeout, uint32_t session)
{
    *w = (struct wire){.timeout = timeout ? timeout : 1};
    w->timed = set_timeout(0, SO_RCVTIMEO, w->timeout) && set_timeout(1, SO_SNDTIMEO, w->timeout);
    tain_now_set_stopwatch_g();
    tain_addsec_g(&w->end, (int)session);
}

/* Until when fd may be waited for. Returns the error that it is if nothing comes by then; *plain: the socket's own
 * timeout says the same. */
static int
limit(struct wire const *w, int fd, tain *at, int *plain)
{
    tain slow;
    int e = ETIMEDOUT;

    *plain = w->timed;
    tain_now_g();
    tain_addsec_g(at, (int)w->timeout);
    if (fd == 0 && w->begun && tain_less(&w->whole, at)) {
        *at = w->whole;
        *plain = 0;
    }
    if (fd == 0 && w->rate) {
        uint64_t paid = w->came / w->rate;
        tain_addsec(&slow, &w->since, (int)(paid < INT32_MAX / 2 ? paid : INT32_MAX / 2));
        tain_addsec(&slow, &slow, (int)w->timeout + 1); /* one who is silent all the time has timed out */
        if (tain_less(&slow, at)) {
            *at = slow;
            *plain = 0;
            e = ENODATA;
        }
    }
    if (tain_less(&w->end, at)) {
        *at = w->end;
        *plain = 0;
        e = ETIME;
    }
    return e;
}

/* Waits until fd is ready, or does not if the socket keeps the time. Returns 1, or 0 with errno. */
static int
wait_for(struct wire *w, int fd, short events, int *polled)
{
    iopause_fd x = {.fd = fd, .events = events};
    tain deadline;
    int plain;
    int e = limit(w, fd, &deadline, &plain);

    *polled = !plain;
    if (plain)
        return 1;
    int n = iopause_g(&x, 1, &deadline);
    if (!n)
        errno = e;
    return n > 0;
}

/* After EAGAIN: a socket that keeps the time has waited long enough, unless it is a non-blocking one. */
static int
go_on(struct wire *w, tain const *began)
{
    tain enough;

    if (errno == EINTR)
        return 1;
    if (errno != EAGAIN)
        return 0;
    if (!w->timed)
        return 1;
    tain_now_g();
    tain_addsec(&enough, began, (int)w->timeout - 1);
    if (tain_less(&enough, &STAMP))
        return (errno = ETIMEDOUT, 0);
    w->timed = 0;
    return 1;
}

ssize_t
wire_read(struct wire *w, char *s, size_t len)
{
    for (;;) {
        int polled;
        if (!wait_for(w, 0, IOPAUSE_READ, &polled))
            return -1;
        tain began = STAMP;
        ssize_t n = read(0, s, len);
        if (n >= 0) {
            w->came += (size_t)n;
            return n;
        }
        if (!go_on(w, &began))
            return -1;
    }
}

int
wire_write(struct wire *w, char const *s, size_t len)
{
    while (len) {
        int polled;
        if (!wait_for(w, 1, IOPAUSE_WRITE, &polled))
            return 0;
        tain began = STAMP;
        ssize_t n = write(1, s, polled && len > PIPE_PIECE ? PIPE_PIECE : len);
        if (n >= 0) {
            s += n;
            len -= (size_t)n;
        } else if (!go_on(w, &began))
            return 0;
    }
    return 1;
}

void
wire_part(struct wire *w, int begun)
{
    if (begun && !w->begun) {
        tain_now_g();
        tain_addsec_g(&w->whole, (int)w->timeout);
    }
    w->begun = begun;
}

void
wire_rate(struct wire *w, uint32_t rate)
{
    if (rate && rate != w->rate) {
        tain_now_g();
        w->since = STAMP;
        w->came = 0;
    }
    w->rate = rate;
}

/* 1 if one of the n descriptors turned ready. */
static int
wait_seconds(struct wire const *w, iopause_fd *x, unsigned int n, uint32_t seconds)
{
    tain deadline;

    tain_now_g();
    tain_addsec_g(&deadline, (int)seconds);
    return iopause_g(x, n, tain_less(&w->end, &deadline) ? &w->end : &deadline) > 0;
}

void
wire_pause(struct wire *w, uint32_t seconds)
{
    wait_seconds(w, NULL, 0, seconds);
}

int
wire_hears(struct wire *w, uint32_t seconds)
{
    iopause_fd x = {.fd = 0, .events = IOPAUSE_READ};

    return wait_seconds(w, &x, 1, seconds);
}

uint32_t
wire_left(struct wire const *w)
{
    tain left;

    tain_now_g();
    if (!tain_less(&STAMP, &w->end))
        return 1;
    tain_sub(&left, &w->end, &STAMP);
    int seconds = tain_to_millisecs(&left) / 1000;
    return seconds > 0 ? (uint32_t)seconds : seconds < 0 ? INT32_MAX / 1000 : 1;
}
