#include "queue/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <skalibs/iopause.h>
#include <skalibs/types.h>

#include "control/control.h"
#include "queue/layout.h"

static char const *
intake_path(void)
{
    char const *path = getenv("PNEU_INTAKE");

    if (path && *path)
        return path;
    return access(control_path(SET_filter), F_OK) == 0 ? RUN_FILTER : RUN_INTAKE;
}

int
intake_stale(struct intake const *in)
{
    return in->filtered != !strcmp(intake_path(), RUN_FILTER);
}

/* While the backlog is full connect waits, but not beyond the deadline. Returns 1, or 0 with errno. */
static int
connect_in_time(struct intake const *in, struct sockaddr_un const *name)
{
    struct timeval limit = {.tv_usec = 1}; /* 0 would be for ever */
    tain left;

    tain_sub(&left, &in->deadline, &STAMP);
    int ms = tain_less(&STAMP, &in->deadline) ? tain_to_millisecs(&left) : 0;
    if (ms > 0)
        limit = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (setsockopt(in->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1)
        return 0;
    if (connect(in->fd, (struct sockaddr const *)name, sizeof *name) == 0)
        return 1;
    if (errno == EAGAIN)
        errno = ETIMEDOUT;
    return 0;
}

int
intake_open(struct intake *in)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char const *path = intake_path();
    size_t len = strlen(path);

    if (len >= sizeof name.sun_path)
        return (errno = ENAMETOOLONG, 0);
    memcpy(name.sun_path, path, len);
    in->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (in->fd == -1)
        return 0;
    if (!connect_in_time(in, &name)) {
        int e = errno;
        intake_close(in);
        return (errno = e, 0);
    }
    in->out.len = 0;
    in->refused = 0;
    in->filtered = !strcmp(path, RUN_FILTER);
    return 1;
}

void
intake_close(struct intake *in)
{
    if (in->fd != -1)
        close(in->fd);
    in->fd = -1;
    in->out.len = 0;
}

static int
fail(struct intake *in)
{
    int e = errno;

    intake_close(in);
    errno = e;
    return 0;
}

static int
wait_for(struct intake *in, short events)
{
    iopause_fd x = {.fd = in->fd, .events = events};
    int n = iopause_stamp(&x, 1, &in->deadline, &STAMP);

    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

/* Sends what waits. A server that hung up has refused: its answer is read at
 * the end. */
static int
flush(struct intake *in)
{
    size_t sent = 0;

    while (sent < in->out.len && !in->refused) {
        ssize_t n = send(in->fd, in->out.s + sent, in->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            in->refused = 1;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(in, IOPAUSE_WRITE)))
            return 0;
    }
    in->out.len = 0;
    return 1;
}

static int
put(struct intake *in, char const *s, size_t len)
{
    if (in->fd == -1)
        return (errno = ENOTCONN, 0);
    if (!netstring_put(&in->out, s, len))
        return fail(in);
    return in->out.len < INTAKE_CHUNK_MAX || flush(in) ? 1 : fail(in);
}

int
intake_begin(struct intake *in, struct bytes opening)
{
    return put(in, opening.s, opening.len);
}

int
intake_data(struct intake *in, char const *s, size_t len)
{
    while (len) {
        size_t n = len < INTAKE_CHUNK_MAX ? len : INTAKE_CHUNK_MAX;
        if (!put(in, s, n))
            return 0;
        s += n;
        len -= n;
    }
    return 1;
}

int
intake_end(struct intake *in, struct bytes closing, struct intake_answer *answer)
{
    return put(in, "", 0) && put(in, closing.s, closing.len) && intake_answer(in, answer);
}

/* "K0 2.0.0 text" */
static int
answer_scan(struct bytes text, struct intake_answer *answer)
{
    size_t n;

    if (text.len < 4 || !text.s[0] || !strchr("KZD", text.s[0]) || text.len > INTAKE_ANSWER_MAX)
        return 0;
    answer->class = text.s[0];
    memcpy(answer->text, text.s, text.len);
    answer->text[text.len] = 0;
    n = uint_scan(answer->text + 1, &answer->exit);
    if (!n || answer->text[1 + n] != ' ')
        return 0;
    memmove(answer->text, answer->text + n + 2, text.len - n - 1);
    return 1;
}

int
intake_answer(struct intake *in, struct intake_answer *answer)
{
    char buf[INTAKE_ANSWER_MAX + 16];
    size_t len = 0;

    if (in->fd == -1)
        return (errno = ENOTCONN, 0);
    if (!flush(in))
        return fail(in);
    for (;;) {
        struct bytes got = {buf, len};
        struct bytes text;
        int whole = netstring_take(&got, INTAKE_ANSWER_MAX, &text);
        if (whole == 1 && !got.len && answer_scan(text, answer)) {
            if (in->refused)
                intake_close(in);
            return 1;
        }
        if (whole) { /* malformed, or more than an answer */
            errno = EPROTO;
            return fail(in);
        }
        /* It is seldom there already. */
        ssize_t n = wait_for(in, IOPAUSE_READ) ? recv(in->fd, buf + len, sizeof buf - len, MSG_DONTWAIT) : -1;
        if (n > 0)
            len += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            if (n == 0)
                errno = EPIPE;
            return fail(in);
        }
    }
}
