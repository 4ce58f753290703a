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
    w->timeout = timeout ? timeout : 1;
    w->timed = set_timeout(0, SO_RCVTIMEO, w->timeout) && set_timeout(1, SO_SNDTIMEO, w->timeout);
    tain_now_set_stopwatch_g();
    tain_addsec_g(&w->end, (int)session);
}

/* Waits until fd is ready, but not for longer than it may. Returns 1, or 0 with errno. */
static int
wait_for(struct wire *w, int fd, short events)
{
    iopause_fd x = {.fd = fd, .events = events};
    tain deadline;
    int last;

    tain_now_g();
    tain_addsec_g(&deadline, (int)w->timeout);
    last = tain_less(&w->end, &deadline);
    int n = iopause_g(&x, 1, last ? &w->end : &deadline);
    if (!n)
        errno = last ? ETIME : ETIMEDOUT;
    return n > 0;
}

/* 1 if the socket's own timeout would end in time. */
static int
far_from_end(struct wire const *w)
{
    tain deadline;

    tain_now_g();
    tain_addsec_g(&deadline, (int)w->timeout);
    return tain_less(&deadline, &w->end);
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
        int polled = !w->timed || !far_from_end(w);
        if (polled && !wait_for(w, 0, IOPAUSE_READ))
            return -1;
        tain began = STAMP;
        ssize_t n = read(0, s, len);
        if (n >= 0)
            return n;
        if (!go_on(w, &began))
            return -1;
    }
}

int
wire_write(struct wire *w, char const *s, size_t len)
{
    while (len) {
        int polled = !w->timed || !far_from_end(w);
        if (polled && !wait_for(w, 1, IOPAUSE_WRITE))
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
