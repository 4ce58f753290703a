#include "remote/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>

void
target_fmt(struct target const *t, char remote[static PEER_REMOTE])
{
    char text[IP_FMT];
    size_t len = ip_fmt(text, &t->ip);
    int named = *t->name != 0;

    *remote = 0;
    if (named)
        stpcpy(stpcpy(remote, t->name), " (");
    strncat(remote, text, len);
    if (named)
        strcat(remote, ")");
}

/* Waits for a connection under way. */
static int
established(int fd, tain const *deadline)
{
    iopause_fd x = {.fd = fd, .events = IOPAUSE_WRITE};
    int e = 0;
    socklen_t len = sizeof e;
    int got = iopause_g(&x, 1, deadline);

    if (got <= 0)
        return got == 0 ? (errno = ETIMEDOUT, 0) : 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) == -1)
        return 0;
    return e ? (errno = e, 0) : 1;
}

int
peer_connect(struct peer *p, struct target const *t, tain const *deadline)
{
    struct sockaddr_storage to;
    socklen_t len = ip_sockaddr(&t->ip, t->port, &to);
    int yes = 1;

    peer_close(p);
    p->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd == -1)
        return 0;
    /* All we send are whole groups of commands and whole chunks: their ends must not wait for an acknowledgement. */
    (void)setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(p->fd, (struct sockaddr *)&to, len) == -1 && (errno != EINPROGRESS || !established(p->fd, deadline))) {
        int e = errno;
        peer_close(p);
        return (errno = e, 0);
    }
    p->target = *t;
    target_fmt(t, p->remote);
    return 1;
}

int
peer_put(struct peer *p, char const *s, size_t len)
{
    return stralloc_catb(&p->out, s, len);
}

int
peer_puts(struct peer *p, char const *s)
{
    return peer_put(p, s, strlen(s));
}

/* Sends what goes without waiting. Returns 0 with errno, and drops the rest, if nothing goes any more. */
static int
send_some(struct peer *p)
{
    while (p->sent < p->out.len) {
        ssize_t n = send(p->fd, p->out.s + p->sent, p->out.len - p->sent, MSG_NOSIGNAL);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1 && errno == EAGAIN)
            return 1;
        if (n == -1) {
            p->broken = 1;
            break;
        }
        p->sent += (size_t)n;
    }
    p->out.len = p->sent = 0;
    return !p->broken;
}

/* Reads what is there, as far as there is room. 1; 0 at the end of file; -1 with errno. */
static int
receive_some(struct peer *p)
{
    if (p->begin == p->end)
        p->begin = p->end = 0;
    ssize_t n = recv(p->fd, p->in + p->end, PEER_IN - p->end, 0);
    if (n == -1)
        return errno == EAGAIN || errno == EINTR ? 1 : -1;
    p->end += (size_t)n;
    return n != 0;
}

/* Waits until one direction can go on. 1; 0 at the end of file; -1 with errno. Replies that come early are kept while
 * there is room for them; who sends more without being asked has to wait. */
static int
advance(struct peer *p, tain const *deadline)
{
    iopause_fd x = {.fd = p->fd, .events = 0};
    int got;

    if (p->end < PEER_IN || p->begin == p->end)
        x.events |= IOPAUSE_READ;
    if (p->sent < p->out.len)
        x.events |= IOPAUSE_WRITE;
    got = iopause_g(&x, 1, deadline);
    if (got <= 0)
        return got == 0 ? (errno = ETIMEDOUT, -1) : errno == EINTR ? 1 : -1;
    if ((x.events & POLLIN) && (x.revents & ~POLLOUT)) {
        got = receive_some(p);
        if (got != 1)
            return got;
    } else if (x.revents & (POLLERR | POLLHUP)) /* nothing may be read, and nothing can be written */
        return (errno = ECONNRESET, -1);
    if (x.revents & POLLOUT)
        send_some(p); /* a failure shows when it is read: what it still had to say comes first */
    return 1;
}

int
peer_flush(struct peer *p, tain const *deadline)
{
    if (!send_some(p))
        return 0;
    while (p->sent < p->out.len) {
        int got = advance(p, deadline);
        if (got != 1)
            return got == 0 ? (errno = EPIPE, 0) : 0;
    }
    return p->broken ? (errno = EPIPE, 0) : 1;
}

int
peer_reply(struct peer *p, tain const *deadline)
{
    int begun = p->out.len != 0;

    for (;;) {
        struct bytes in = {p->in + p->begin, p->end - p->begin};
        int code = smtp_reply(&p->reply, &in);
        p->begin = p->end - in.len;
        if (code)
            return code;
        if (begun)
            send_some(p); /* if it hangs up on us, perhaps with a reason that can still be read */
        begun = 0;
        code = advance(p, deadline);
        if (code != 1)
            return code;
    }
}

void
peer_close(struct peer *p)
{
    if (p->fd != -1)
        fd_close(p->fd);
    p->fd = -1;
    p->out.len = p->sent = p->begin = p->end = 0;
    p->messages = 0;
    p->dirty = p->broken = 0;
    smtp_reply_reset(&p->reply);
    memset(&p->features, 0, sizeof p->features);
}

void
peer_quit(struct peer *p)
{
    if (p->fd != -1 && !p->out.len)
        (void)!send(p->fd, "QUIT\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
    peer_close(p);
}
