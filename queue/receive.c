#include "queue/receive.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <skalibs/types.h>

#include "lib/monotonic.h"
#include "queue/envelope.h"
#include "queue/exits.h"

enum { PHASE_OPENING, PHASE_MESSAGE, PHASE_CLOSING };

#define PIECE                                                                                                          \
    (INTAKE_CHUNK_MAX + NETSTRING_DIGITS + 2) /* bytes asked for in one read   \
                                               */

void
receive_begin(struct receive *r, struct receive_ops const *ops, void *data)
{
    r->ops = ops;
    r->data = data;
    r->phase = PHASE_OPENING;
    r->in.len = r->taken = r->out.len = 0;
}

void
receive_answer(struct intake_answer *a, char class, unsigned int code, char const *text)
{
    size_t len = strlen(text);

    if (len > INTAKE_ANSWER_MAX - 16) /* its class and code need room in the frame */
        len = INTAKE_ANSWER_MAX - 16;
    a->class = class;
    a->exit = code;
    memcpy(a->text, text, len);
    a->text[len] = 0;
}

void
receive_answer_errno(struct intake_answer *a, int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
        receive_answer(a, 'Z', QUEUE_WRITE, "4.3.1 the queue's disk is full");
        return;
    case EFBIG:
        receive_answer(a, 'Z', QUEUE_WRITE, "4.3.4 the message is too large for a file here");
        return;
    case ENOMEM:
        receive_answer(a, 'Z', QUEUE_MEMORY, "4.3.0 out of memory");
        return;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        receive_answer(a, 'Z', QUEUE_REFUSED_NOW, "4.3.0 out of descriptors or processes");
        return;
    default:
        receive_answer(a, 'Z', QUEUE_WRITE, "4.3.0 cannot write to the queue");
    }
}

int
receive_answer_put(stralloc *to, struct intake_answer const *a)
{
    char s[INTAKE_ANSWER_MAX + 1];
    size_t len = strlen(a->text);
    size_t n = 0;

    s[n++] = a->class;
    n += uint_fmt(s + n, a->exit);
    s[n++] = ' ';
    memcpy(s + n, a->text, len);
    return netstring_put(to, s, n + len);
}

/* Hands one frame to where it belongs. */
static enum receive_verdict
deal(struct receive *r, struct bytes frame, struct intake_answer *a)
{
    enum receive_verdict v;

    switch (r->phase) {
    case PHASE_OPENING:
        v = r->ops->begin(r->data, frame, a);
        if (v != RECEIVE_REFUSED)
            r->phase = PHASE_MESSAGE;
        return v;
    case PHASE_MESSAGE:
        if (!frame.len) {
            r->phase = PHASE_CLOSING;
            return RECEIVE_GO;
        }
        return r->ops->more(r->data, frame.s, frame.len, a);
    default:
        r->phase = PHASE_OPENING;
        return r->ops->end(r->data, frame, a);
    }
}

int
receive_feed(struct receive *r)
{
    struct bytes left = {r->in.s + r->taken, r->in.len - r->taken};
    struct intake_answer a;
    struct bytes frame;
    int got = 0;

    while (left.len) {
        enum receive_verdict v = RECEIVE_REFUSED;
        got = netstring_take(&left, r->phase == PHASE_MESSAGE ? INTAKE_CHUNK_MAX : ENVELOPE_MAX, &frame);
        if (!got)
            break;
        if (got == 1)
            v = deal(r, frame, &a);
        else
            receive_answer(&a, 'Z', QUEUE_FORMAT, "4.5.2 malformed");
        if (v != RECEIVE_GO && !receive_answer_put(&r->out, &a))
            return 0;
        if (v == RECEIVE_REFUSED)
            return 0;
    }
    r->taken = r->in.len - left.len;
    return 1;
}

/* Waits until the socket is ready for those events. Between two messages the
 * process may be ended. */
static int
wait_for(int fd, short events, int64_t deadline, int idle)
{
    struct pollfd x = {.fd = fd, .events = events};
    sigset_t none;

    sigemptyset(&none);
    for (;;) {
        int64_t now = monotonic_ms(), left = now < deadline ? deadline - now : 0;
        struct timespec limit = {.tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000};
        int n = ppoll(&x, 1, &limit, idle ? &none : 0);
        if (n > 0)
            return 1;
        if (n == 0 || errno != EINTR)
            return 0;
    }
}

static int
send_all(struct receive *r, int fd, int64_t deadline)
{
    size_t sent = 0;

    while (sent < r->out.len) {
        ssize_t n = send(fd, r->out.s + sent, r->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline, 0)))
            return 0;
    }
    r->out.len = 0;
    return 1;
}

/* Returns 1 if something came, 0 at the end. */
static int
fill(struct receive *r, int fd)
{
    ssize_t n;

    if (r->taken) {
        r->in.len -= r->taken;
        memmove(r->in.s, r->in.s + r->taken, r->in.len);
        r->taken = 0;
    }
    if (!stralloc_readyplus(&r->in, PIECE))
        return 0;
    do
        n = recv(fd, r->in.s + r->in.len, PIECE, 0);
    while (n == -1 && errno == EINTR);
    if (n <= 0)
        return 0;
    r->in.len += (size_t)n;
    return 1;
}

void
receive_run(struct receive *r, int fd, uint32_t seconds)
{
    int64_t deadline = 0;
    int goes_on = 1;

    while (goes_on) {
        int idle = r->phase == PHASE_OPENING && r->taken == r->in.len;
        if (idle)
            deadline = monotonic_ms() + (int64_t)seconds * 1000;
        if (!wait_for(fd, POLLIN, deadline, idle) || !fill(r, fd))
            break;
        goes_on = receive_feed(r);
        goes_on = send_all(r, fd, deadline) && goes_on;
        if (r->ops->told)
            r->ops->told(r->data);
    }
    if (r->phase != PHASE_OPENING)
        r->ops->drop(r->data);
}
