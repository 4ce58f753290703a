#include "lib/auth.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <skalibs/iopause.h>

/* ---- the two messages ---- */

static int
put_all(stralloc *to, struct bytes const *parts, size_t n)
{
    stralloc inner = STRALLOC_ZERO;
    int good = 1;

    for (size_t i = 0; good && i < n; i++)
        good = netstring_put(&inner, parts[i].len ? parts[i].s : "", parts[i].len);
    if (good && inner.len > AUTH_MAX) {
        errno = EMSGSIZE;
        good = 0;
    }
    good = good && netstring_put(to, inner.s ? inner.s : "", inner.len);
    int e = errno;
    stralloc_free(&inner);
    errno = e;
    return good;
}

/* Takes the parts of one message, from `least` to `most` of them. */
static int
take_all(struct bytes *in, struct bytes *parts, size_t least, size_t most, size_t *n)
{
    struct bytes inner;
    int got = netstring_take(in, AUTH_MAX, &inner);

    if (got != 1)
        return got;
    for (*n = 0; inner.len; ++*n)
        if (*n == most || netstring_take(&inner, AUTH_MAX, parts + *n) != 1)
            return (errno = EPROTO, -1);
    return *n >= least ? 1 : (errno = EPROTO, -1);
}

#define FIXED 5 /* parts of a question before what was said */

int
auth_question_put(stralloc *to, struct auth_question const *q)
{
    struct bytes parts[FIXED + AUTH_SAID_MAX] = {q->mechanism, q->service, q->client, q->listener, q->tls};

    for (size_t i = 0; i < q->count; i++)
        parts[FIXED + i] = q->said[i];
    return put_all(to, parts, FIXED + q->count);
}

int
auth_question_take(struct bytes *in, struct auth_question *q)
{
    struct bytes parts[FIXED + AUTH_SAID_MAX];
    size_t n;
    int got = take_all(in, parts, FIXED, FIXED + AUTH_SAID_MAX, &n);

    if (got != 1)
        return got;
    *q = (struct auth_question){parts[0], parts[1], parts[2], parts[3], parts[4], .count = n - FIXED};
    for (size_t i = 0; i < q->count; i++)
        q->said[i] = parts[FIXED + i];
    return q->count != 2 ? 1 : (errno = EPROTO, -1);
}

int
auth_answer_put(stralloc *to, struct auth_answer const *a)
{
    struct bytes const parts[] = {{&a->class, 1}, a->data, a->login, a->name, a->rights, a->reason};

    return put_all(to, parts, sizeof parts / sizeof *parts);
}

int
auth_answer_take(struct bytes *in, struct auth_answer *a)
{
    struct bytes parts[6];
    size_t n;
    int got = take_all(in, parts, 6, 6, &n);

    if (got != 1)
        return got;
    if (parts[0].len != 1 || !parts[0].s[0] || !strchr("CKDZM", parts[0].s[0]))
        return (errno = EPROTO, -1);
    *a = (struct auth_answer){parts[0].s[0], parts[1], parts[2], parts[3], parts[4], parts[5]};
    return 1;
}

/* ---- the asking side ---- */

/* While the backlog is full connect waits, but not beyond the deadline. */
static int
reach(int fd, char const *path, tain const *deadline)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_usec = 1}; /* 0 would be for ever */
    tain left;

    if (strlen(path) >= sizeof name.sun_path)
        return (errno = ENAMETOOLONG, 0);
    strcpy(name.sun_path, path);
    tain_sub(&left, deadline, &STAMP);
    int ms = tain_less(&STAMP, deadline) ? tain_to_millisecs(&left) : 0;
    if (ms > 0)
        limit = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1)
        return 0;
    if (connect(fd, (struct sockaddr const *)&name, sizeof name) == 0)
        return 1;
    if (errno == EAGAIN)
        errno = ETIMEDOUT;
    return 0;
}

static int
wait_for(int fd, short events, tain const *deadline)
{
    iopause_fd x = {.fd = fd, .events = events};
    int n = iopause_stamp(&x, 1, deadline, &STAMP);

    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

static int
send_all(int fd, char const *s, size_t len, tain const *deadline)
{
    while (len) {
        ssize_t n = send(fd, s, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            s += n;
            len -= (size_t)n;
        } else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, IOPAUSE_WRITE, deadline)))
            return 0;
    }
    return 1;
}

static int
receive(int fd, struct auth_answer *a, stralloc *storage, tain const *deadline)
{
    storage->len = 0;
    for (;;) {
        struct bytes in = {storage->s, storage->len};
        int whole = storage->len ? auth_answer_take(&in, a) : 0;
        if (whole)
            return whole == 1;
        if (!stralloc_readyplus(storage, 1024) || !wait_for(fd, IOPAUSE_READ, deadline))
            return 0;
        ssize_t n = recv(fd, storage->s + storage->len, 1024, MSG_DONTWAIT);
        if (n > 0)
            storage->len += (size_t)n;
        else if (n == 0)
            return (errno = EPIPE, 0);
        else if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
}

int
auth_ask(char const *path, struct auth_question const *q, struct auth_answer *a, stralloc *storage,
         tain const *deadline)
{
    int fd, good;

    storage->len = 0;
    if (!auth_question_put(storage, q))
        return 0;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 0;
    good = reach(fd, path, deadline) && send_all(fd, storage->s, storage->len, deadline);
    explicit_bzero(storage->s, storage->len); /* the password has been said */
    good = good && receive(fd, a, storage, deadline);
    int e = errno;
    close(fd);
    errno = e;
    return good;
}
