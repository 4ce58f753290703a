#include "remote/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/types.h>

/* ---- verdicts ---- */

static void
add(struct verdict *v, char const *s, size_t len)
{
    if (len > VERDICT_TEXT - v->len)
        len = VERDICT_TEXT - v->len;
    memcpy(v->text + v->len, s, len);
    v->len += len;
}

static void
begin(struct verdict *v, char class, char const *code, size_t len, char const *remote)
{
    v->class = class;
    v->dsn = 0;
    memcpy(v->code, code, len);
    v->code[len] = 0;
    strcpy(v->remote, remote);
    v->len = 0;
}

void
verdict_say(struct verdict *v, char class, char const *code, char const *a, char const *b, char const *c)
{
    begin(v, class, code, strlen(code), "");
    add(v, a, strlen(a));
    if (b)
        add(v, b, strlen(b));
    if (b && c)
        add(v, c, strlen(c));
}

void
verdict_reply(struct verdict *v, struct peer const *p, unsigned int code)
{
    char const *text = p->reply.text;
    char enhanced[SMTP_ENHANCED_MAX];
    char digits[UINT_FMT];
    size_t digitslen;
    size_t own;
    char class = code < 300 ? 'K' : code >= 500 ? 'D' : 'Z';
    /* A 3xx where none belongs is a mistake of the server, and has no enhanced codes. */
    size_t n = smtp_enhanced(code >= 300 && code < 400 ? 400 : code, text, p->reply.len, enhanced, &own);

    begin(v, class, enhanced, n, p->remote);
    v->dsn = class == 'K' && (p->features.has & SMTP_DSN) != 0;
    digitslen = uint_fmt(digits, code);
    add(v, digits, digitslen);
    add(v, " ", 1);
    add(v, text, p->reply.len);
}

void
verdict_error(struct verdict *v, struct peer const *p, char const *code, char const *what, int e)
{
    verdict_say(v, 'Z', code, what, ": ", strerror(e));
    strcpy(v->remote, p->remote);
}

/* ---- deliveries ---- */

/* Makes room for one more element. */
static int
more(void **array, size_t *room, size_t count, size_t size)
{
    void *now;

    if (count < *room)
        return 1;
    now = realloc(*array, (count + count / 2 + 16) * size);
    if (!now)
        return 0;
    *array = now;
    *room = count + count / 2 + 16;
    return 1;
}

int
delivery_begin(struct delivery *d, int fd, uint64_t offset, uint64_t length)
{
    if (!d->chunk)
        d->chunk = malloc(DELIVERY_CHUNK);
    d->fd = fd;
    d->offset = offset;
    d->length = length;
    d->body = d->ret = d->envid = (struct bytes){0};
    d->smtputf8 = 0;
    d->site = (struct bytes){0};
    d->count = d->noutcomes = d->texts.len = d->chunklen = 0;
    return d->chunk != 0;
}

int
delivery_add(struct delivery *d, struct recipient const *r)
{
    void *all = d->recipients;

    if (!more(&all, &d->room, d->count, sizeof *r))
        return 0;
    d->recipients = all;
    d->recipients[d->count++] = *r;
    return 1;
}

static int
is_text(struct delivery const *d, size_t at, size_t len, char const *s, size_t n)
{
    return len == n && !memcmp(d->texts.s + at, s, n);
}

/* Finds that outcome among the last ones, or keeps a new one. Returns its number, -1 without memory. */
static int64_t
keep_outcome(struct delivery *d, struct verdict const *v, int own, int accepted)
{
    size_t remotelen = strlen(v->remote);
    void *all = d->outcomes;

    for (size_t i = d->noutcomes; i-- && i + 8 >= d->noutcomes;) {
        struct outcome const *o = d->outcomes + i;
        if (o->class == v->class && o->dsn == (unsigned char)v->dsn && o->own == own && o->accepted == accepted &&
            !strcmp(o->code, v->code) && is_text(d, o->remote, o->remotelen, v->remote, remotelen) &&
            is_text(d, o->text, o->textlen, v->text, v->len))
            return (int64_t)i;
    }
    if (!more(&all, &d->outcomesroom, d->noutcomes, sizeof *d->outcomes))
        return -1;
    d->outcomes = all;
    struct outcome *o = d->outcomes + d->noutcomes;
    *o = (struct outcome){.class = v->class,
                          .own = own != 0,
                          .accepted = accepted != 0,
                          .dsn = (unsigned char)v->dsn,
                          .remote = d->texts.len,
                          .remotelen = remotelen,
                          .text = d->texts.len + remotelen,
                          .textlen = v->len};
    memcpy(o->code, v->code, sizeof o->code);
    if (!stralloc_catb(&d->texts, v->remote, remotelen) || !stralloc_catb(&d->texts, v->text, v->len))
        return -1;
    return (int64_t)d->noutcomes++;
}

void
delivery_settle(struct delivery *d, struct recipient *r, struct verdict const *v, int own)
{
    int64_t n = keep_outcome(d, v, own, r->state == RECIPIENT_ACCEPTED);

    r->state = RECIPIENT_SETTLED;
    r->outcome = (uint32_t)n;
    if (n == -1)
        r->reported = 1;
}

void
delivery_settle_all(struct delivery *d, enum recipient_state from, enum recipient_state to, struct verdict const *v)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->recipients[i].state >= from && d->recipients[i].state <= to)
            delivery_settle(d, d->recipients + i, v, 0);
}

void
delivery_turn(struct delivery *d, enum recipient_state from, enum recipient_state to)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->recipients[i].state == from)
            d->recipients[i].state = (unsigned char)to;
}

struct recipient *
delivery_find(struct delivery const *d, size_t at, enum recipient_state state)
{
    for (; at < d->count; at++)
        if (d->recipients[at].state == state)
            return d->recipients + at;
    return 0;
}

int
delivery_load(struct delivery *d, uint64_t at)
{
    uint64_t left = d->length - at;
    size_t want = left < DELIVERY_CHUNK ? (size_t)left : DELIVERY_CHUNK;

    if (d->chunklen && d->chunkat == at)
        return 1;
    d->chunkat = at;
    d->chunklen = 0;
    while (d->chunklen < want) {
        ssize_t n = pread(d->fd, d->chunk + d->chunklen, want - d->chunklen, (off_t)(d->offset + at + d->chunklen));
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            d->chunklen = 0;
            return n ? 0 : (errno = EIO, 0);
        }
        d->chunklen += (size_t)n;
    }
    return 1;
}
