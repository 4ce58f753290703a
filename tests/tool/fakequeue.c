#include "tests/tool/fakequeue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/netstring.h"
#include "queue/envelope.h"
#include "queue/intake.h"

struct caller {
    int fd;
    stralloc in;
    size_t taken;
};

/* The next netstring of a session. Returns 1, or 0 at its end. */
static int
next(struct caller *c, struct bytes *item)
{
    for (;;) {
        struct bytes rest = {c->in.s + c->taken, c->in.len - c->taken};
        int got = netstring_take(&rest, ENVELOPE_MAX, item);
        if (got == -1)
            return 0;
        if (got) {
            c->taken = c->in.len - rest.len;
            return 1;
        }
        if (rest.len)
            memmove(c->in.s, c->in.s + c->taken, rest.len);
        c->in.len = rest.len;
        c->taken = 0;
        if (!stralloc_readyplus(&c->in, INTAKE_CHUNK_MAX))
            _exit(111);
        ssize_t n = read(c->fd, c->in.s + c->in.len, INTAKE_CHUNK_MAX);
        if (n <= 0)
            return 0;
        c->in.len += (size_t)n;
    }
}

static void
answer(int fd, char const *text)
{
    stralloc out = STRALLOC_ZERO;

    if (!netstring_put(&out, text, strlen(text)))
        _exit(111);
    (void)!send(fd, out.s, out.len, MSG_NOSIGNAL);
    stralloc_free(&out);
}

static void
store(unsigned int n, char const *what, stralloc const *bytes)
{
    char name[64];

    snprintf(name, sizeof name, "%u.%s", n, what);
    FILE *f = fopen(name, "w");
    if (!f || fwrite(bytes->s, 1, bytes->len, f) != bytes->len || fclose(f))
        _exit(111);
}

/* Returns 1 if one message came in whole and the session may go on. */
static int
one(struct caller *c, struct fakequeue const *q, unsigned int *count)
{
    stralloc envelope = STRALLOC_ZERO, message = STRALLOC_ZERO;
    struct bytes item, asks;
    char text[INTAKE_ANSWER_MAX];
    int more = 0;

    if (!next(c, &item) || !stralloc_catb(&envelope, item.s, item.len))
        goto out;
    if (envelope_find(item, "ask", &asks) == 1) {
        answer(c->fd, q->open ? q->open : "K0 2.0.0 go on");
        if (q->open && *q->open != 'K')
            goto out;
    }
    while (next(c, &item) && item.len)
        if (!stralloc_catb(&message, item.s, item.len))
            _exit(111);
    if (item.len || !next(c, &item) || !stralloc_catb(&envelope, item.s, item.len) || q->hangup)
        goto out;
    snprintf(text, sizeof text, "K0 2.0.0 fake-%u", *count + 1);
    if (!q->end || *q->end == 'K') {
        ++*count;
        store(*count, "envelope", &envelope);
        store(*count, "message", &message);
    }
    answer(c->fd, q->end ? q->end : text);
    more = !q->once;
out:
    stralloc_free(&envelope);
    stralloc_free(&message);
    return more;
}

void
fakequeue_serve(int listener, struct fakequeue const *q)
{
    unsigned int count = 0;

    for (;;) {
        struct caller c = {.fd = accept(listener, NULL, NULL), .in = STRALLOC_ZERO};
        if (c.fd == -1)
            _exit(111);
        while (one(&c, q, &count))
            ;
        close(c.fd);
        stralloc_free(&c.in);
    }
}
