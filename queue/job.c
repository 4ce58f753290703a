#include "queue/job.h"
#include "lib/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

/* ---- jobs ---- */

/* A text record of the job's head. Returns the place it belongs, or NULL. */
static struct bytes *
job_text(struct job *j, struct record const *r)
{
    static char const *const names[] = {"transport", "key", "id", "from", "body", "ret", "envid"};
    struct bytes *const places[] = {&j->transport, &j->key, &j->id, &j->from, &j->body, &j->ret, &j->envid};

    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++)
        if (record_is(r, names[i]))
            return places[i];
    return 0;
}

static int
job_head(struct job *j, struct record const *r)
{
    struct bytes *text = job_text(j, r);

    if (text)
        *text = r->value;
    else if (record_is(r, "job"))
        return record_uint(r, &j->number);
    else if (record_is(r, "offset"))
        return record_uint(r, &j->offset) && j->offset <= INT64_MAX / 2;
    else if (record_is(r, "length"))
        return record_uint(r, &j->length) && j->length <= INT64_MAX / 2;
    else if (record_is(r, "again"))
        j->again = 1;
    else if (record_is(r, "smtputf8"))
        j->smtputf8 = 1;
    else if (record_is(r, "requiretls"))
        j->requiretls = 1;
    return 1;
}

int
job_scan(struct bytes frame, struct job *j)
{
    struct record r;
    struct job_recipient one;
    struct bytes before = frame;
    struct bytes cursor;
    int got;

    memset(j, 0, sizeof *j);
    while ((got = envelope_next(&frame, &r)) == 1 && !record_is(&r, "to")) {
        if (!job_head(j, &r))
            return (errno = EPROTO, 0);
        before = frame;
    }
    if (got != 1 || !j->transport.len || !j->id.len)
        return (errno = EPROTO, 0);
    j->recipients = before;
    for (cursor = before; (got = job_next(j, &cursor, &one)) == 1;)
        j->count++;
    return got == 0 ? 1 : (errno = EPROTO, 0);
}

/* A text record of a recipient. Returns the place it belongs, or NULL. */
static struct bytes *
recipient_text(struct job_recipient *one, struct record const *r)
{
    static char const *const names[] = {"from", "notify", "orcpt", "user", "home", "dash", "ext"};
    struct bytes *const places[] = {&one->from, &one->notify, &one->orcpt, &one->user,
                                    &one->home, &one->dash,   &one->ext};

    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++)
        if (record_is(r, names[i]))
            return places[i];
    return 0;
}

int
job_next(struct job const *j, struct bytes *cursor, struct job_recipient *one)
{
    struct record r;
    struct bytes ahead;
    uint64_t n;
    int indexed = 0;
    int got = envelope_next(cursor, &r);

    if (got != 1)
        return got;
    if (!record_is(&r, "to"))
        return (errno = EPROTO, -1);
    memset(one, 0, sizeof *one);
    one->to = r.value;
    one->from = j->from;
    for (ahead = *cursor; (got = envelope_next(&ahead, &r)) == 1 && !record_is(&r, "to"); *cursor = ahead)
        if (record_is(&r, "index")) {
            indexed = record_uint(&r, &n) && n < ENVELOPE_RECIPIENTS_MAX;
            one->index = (uint32_t)n;
        } else {
            struct bytes *text = recipient_text(one, &r);
            if (text)
                *text = r.value;
        }
    return got >= 0 && indexed ? 1 : (errno = EPROTO, -1);
}

/* ---- results ---- */

int
result_scan(struct bytes frame, struct result *res)
{
    struct record r;
    int numbered = 0;
    int got;

    memset(res, 0, sizeof *res);
    while ((got = envelope_next(&frame, &r)) == 1) {
        if (record_is(&r, "job"))
            numbered = record_uint(&r, &res->job);
        else if (record_is(&r, "class") && r.value.len == 1 && strchr("KZD", *r.value.s))
            res->class = *r.value.s;
        else if (record_is(&r, "code"))
            res->code = r.value;
        else if (record_is(&r, "to"))
            res->to = r.value;
        else if (record_is(&r, "remote"))
            res->remote = r.value;
        else if (record_is(&r, "text"))
            res->text = r.value;
        else if (record_is(&r, "site"))
            res->site = r.value;
        else if (record_is(&r, "dsn"))
            res->dsn = 1;
        else if (record_is(&r, "done"))
            res->done = 1;
    }
    return got == 0 && numbered && (res->class || res->done) && (!res->class || res->to.len) ? 1 : (errno = EPROTO, 0);
}

/* A text from outside becomes a record's value: what a record cannot hold is a
 * blank in it. */
static int
put_text(stralloc *to, char const *name, struct bytes text)
{
    size_t begin;

    if (text.len > ENVELOPE_VALUE_MAX)
        text.len = ENVELOPE_VALUE_MAX;
    if (!envelope_put(to, name, text.s, text.len))
        return 0;
    begin = to->len - 1 - text.len;
    for (size_t i = begin; i < begin + text.len; i++)
        if (!to->s[i] || to->s[i] == '\n' || to->s[i] == '\r')
            to->s[i] = ' ';
    return 1;
}

int
result_put(stralloc *to, struct result const *r)
{
    stralloc records = STRALLOC_ZERO;
    int good = envelope_putuint(&records, "job", r->job);

    if (r->class)
        good = good && envelope_put(&records, "class", &r->class, 1) && put_text(&records, "code", r->code) &&
               put_text(&records, "to", r->to) && put_text(&records, "remote", r->remote) &&
               put_text(&records, "text", r->text) && (!r->site.len || put_text(&records, "site", r->site)) &&
               (!r->dsn || envelope_put(&records, "dsn", "1", 1));
    if (r->done)
        good = good && envelope_put(&records, "done", "1", 1);
    good = good && netstring_put(to, records.s, records.len);
    stralloc_free(&records);
    return good;
}

/* ---- the wire ---- */

enum { WIRE_FDS = sizeof(((struct jobwire *)0)->fds) / sizeof(int) };

int
jobwire_init(struct jobwire *w, int fd)
{
    if (ndelay_on(fd) == -1 || coe(fd) == -1)
        return 0;
    w->fd = fd;
    return 1;
}

int
jobwire_give(struct jobwire *w, struct bytes frame, int fd)
{
    size_t begin = w->out.len;
    int e = 0;

    if (fd != -1 && w->npending == WIRE_FDS)
        e = ENOBUFS;
    else if (!netstring_put(&w->out, frame.s, frame.len))
        e = ENOMEM;
    if (e) {
        w->out.len = begin;
        if (fd != -1)
            close(fd);
        return (errno = e, 0);
    }
    if (fd != -1) {
        w->pending[w->npending].at = begin;
        w->pending[w->npending++].fd = fd;
    }
    return 1;
}

int
jobwire_put(struct jobwire *w, struct bytes frame, int fd)
{
    if (fd != -1 && w->npending == WIRE_FDS)
        return (errno = ENOBUFS, 0);
    if (fd != -1) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd == -1)
            return 0;
    }
    return jobwire_give(w, frame, fd);
}

/* One sendmsg: up to the next byte that a descriptor belongs to, and with the
 * one that belongs to the first. */
static ssize_t
send_some(struct jobwire *w)
{
    int with = w->npending && w->pending[0].at == w->sent;
    size_t end = w->npending > (unsigned int)with ? w->pending[with].at : w->out.len;
    ssize_t n = pass_send(w->fd, w->out.s + w->sent, end - w->sent, with ? w->pending[0].fd : -1, 0);

    if (n > 0 && with) {
        close(w->pending[0].fd);
        memmove(w->pending, w->pending + 1, --w->npending * sizeof *w->pending);
    }
    return n;
}

int
jobwire_flush(struct jobwire *w)
{
    while (w->sent < w->out.len) {
        ssize_t n = send_some(w);
        if (n > 0)
            w->sent += (size_t)n;
        else if (n == -1)
            return errno == EAGAIN ? 0 : -1;
    }
    w->out.len = w->sent = 0;
    return 1;
}

/* Keeps the descriptors of one recvmsg; those that find no place are closed,
 * their jobs fail for want of one. */
static void
keep_fds(struct jobwire *w, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (w->nfds < WIRE_FDS)
                w->fds[w->nfds++] = fd;
            else
                close(fd);
        }
    }
}

int
jobwire_fill(struct jobwire *w)
{
    union {
        char space[CMSG_SPACE(sizeof(int) * 4)];
        struct cmsghdr align;
    } control;
    struct iovec part;
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};

    if (w->taken) {
        memmove(w->in.s, w->in.s + w->taken, w->in.len - w->taken);
        w->in.len -= w->taken;
        w->taken = 0;
    }
    if (!stralloc_readyplus(&w->in, 4096))
        return (errno = ENOMEM, -1);
    part.iov_base = w->in.s + w->in.len;
    part.iov_len = w->in.a - w->in.len;
    ssize_t n = recvmsg(w->fd, &m, MSG_CMSG_CLOEXEC);
    if (n == -1)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    keep_fds(w, &m);
    if (m.msg_flags & MSG_CTRUNC) /* one is missing: its frame would take the next one's */
        return (errno = EMFILE, -1);
    if (!n)
        return (errno = EPIPE, -1);
    w->in.len += (size_t)n;
    return 1;
}

int
jobwire_take(struct jobwire *w, size_t max, struct bytes *frame)
{
    struct bytes rest = {w->in.s + w->taken, w->in.len - w->taken};
    int got = netstring_take(&rest, max, frame);

    w->taken = w->in.len - rest.len;
    return got;
}

int
jobwire_takefd(struct jobwire *w)
{
    int fd;

    if (!w->nfds)
        return (errno = EPROTO, -1);
    fd = w->fds[0];
    memmove(w->fds, w->fds + 1, --w->nfds * sizeof *w->fds);
    return fd;
}

void
jobwire_free(struct jobwire *w)
{
    while (w->npending)
        close(w->pending[--w->npending].fd);
    while (w->nfds)
        close(w->fds[--w->nfds]);
    if (w->fd != -1)
        close(w->fd);
    w->fd = -1;
    w->taken = w->sent = 0;
    stralloc_free(&w->in);
    stralloc_free(&w->out);
}
