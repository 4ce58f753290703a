#include "remote/transact.h"

#include <errno.h>
#include <string.h>

#include <skalibs/types.h>

#include "lib/addr.h"
#include "remote/body.h"

unsigned int
transact_reply(struct peer *p, uint32_t seconds, char const *when, struct verdict *why)
{
    tain deadline;
    int code;

    tain_addsec_g(&deadline, (int)seconds);
    code = peer_reply(p, &deadline);
    if (code > 0 && code != 421)
        return (unsigned int)code;
    if (code == 421)
        verdict_reply(why, p, 421);
    else if (code == -1 && (errno == EPROTO || errno == EMSGSIZE))
        verdict_error(why, p, "4.5.0", "it does not speak SMTP", errno);
    else {
        verdict_say(why, 'Z', "4.4.2", "connection lost ", when,
                    code == 0            ? ""
                    : errno == ETIMEDOUT ? ": timed out"
                                         : ": reset");
        strcpy(why->remote, p->remote);
    }
    return 0;
}

/* ---- what can be said to this server at all ---- */

static int
has_8bit(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] >= 0x80)
            return 1;
    return 0;
}

/* 1 if the header (as far as it is in the first chunk) holds UTF-8. */
static int
header_8bit(struct delivery *d)
{
    char const *end;

    if (!delivery_load(d, 0))
        return 0;
    end = d->chunklen && *d->chunk == '\n' ? d->chunk : memmem(d->chunk, d->chunklen, "\n\n", 2);
    return has_8bit(d->chunk, end ? (size_t)(end - d->chunk) : d->chunklen);
}

static void
refuse(struct delivery *d, struct peer const *p, char const *code, char const *text)
{
    struct verdict v;

    verdict_say(&v, 'D', code, text, 0, 0);
    strcpy(v.remote, p->remote);
    delivery_settle_all(d, RECIPIENT_WAITING, RECIPIENT_WAITING, &v);
}

/* Bytes on the wire: exact for what fits into one chunk, else at least. Doubled dots do not count (RFC 1870). */
static uint64_t
wire_size(struct delivery *d)
{
    uint64_t size = d->length;
    char const *s = d->chunk;

    if (d->length > DELIVERY_CHUNK || !d->length || !delivery_load(d, 0))
        return size;
    for (size_t left = d->chunklen; (s = memchr(s, '\n', left)); left = d->chunklen - (size_t)(++s - d->chunk))
        size++;
    return d->chunk[d->chunklen - 1] == '\n' ? size : size + 2;
}

static int
is(struct bytes b, char const *s)
{
    return b.len == strlen(s) && !memcmp(b.s, s, b.len);
}

/* A recipient that cannot be named to this server. Returns 1 if it can. */
static int
can_name(struct delivery *d, struct peer const *p, struct recipient *r, stralloc *scratch)
{
    struct verdict v;
    int utf8 = (p->features.has & SMTP_SMTPUTF8) != 0;

    scratch->len = 0;
    if (!r->to.len || !addr_quote(scratch, r->to.s, r->to.len))
        verdict_say(&v, 'D', "5.1.3", "no address that SMTP can say", 0, 0);
    else if (r->from.len && !addr_quote(scratch, r->from.s, r->from.len))
        verdict_say(&v, 'D', "5.1.7", "no sender address that SMTP can say", 0, 0);
    else if (!utf8 && (has_8bit(r->to.s, r->to.len) || has_8bit(r->from.s, r->from.len)))
        verdict_say(&v, 'D', "5.6.7", "the server does not take addresses in UTF-8", 0, 0);
    else
        return 1;
    strcpy(v.remote, p->remote);
    delivery_settle(d, r, &v, 1);
    return 0;
}

/* Settles whoever cannot be served by what this server offers. */
static void
check(struct delivery *d, struct peer const *p, uint64_t size)
{
    stralloc scratch = STRALLOC_ZERO;

    if ((p->features.has & SMTP_SIZE) && p->features.size && size > p->features.size)
        refuse(d, p, "5.3.4", "the message is larger than the server takes");
    if (is(d->body, "BINARYMIME"))
        refuse(d, p, "5.6.3", "the message is BINARYMIME, which cannot be sent by DATA");
    if (d->smtputf8 && !(p->features.has & SMTP_SMTPUTF8) && header_8bit(d))
        refuse(d, p, "5.6.7", "the server does not take headers in UTF-8");
    for (size_t i = 0; i < d->count; i++)
        if (d->recipients[i].state == RECIPIENT_WAITING)
            can_name(d, p, d->recipients + i, &scratch);
    stralloc_free(&scratch);
}

/* ---- the commands, one after another ---- */

enum kind { START, RSET, MAIL, RCPT, DATA, END };

struct transaction {
    struct peer *p;
    struct delivery *d;
    struct verdict *why;
    uint64_t size;
    uint32_t seconds;
    int reset;   /* begins with RSET */
    int refused; /* MAIL was */
    struct verdict refusal;
    unsigned int accepted; /* recipients */
};

struct step {
    enum kind kind;
    size_t at; /* behind the recipient of RCPT */
    struct recipient *r;
};

static void
next_step(struct transaction const *t, struct step *s)
{
    if (s->kind == START && t->reset) {
        s->kind = RSET;
        return;
    }
    if (s->kind < MAIL) {
        s->kind = MAIL;
        s->r = delivery_find(t->d, 0, RECIPIENT_GOING);
        return;
    }
    s->r = s->kind < DATA ? delivery_find(t->d, s->at, RECIPIENT_GOING) : 0;
    s->kind = s->kind >= DATA ? END : s->r ? RCPT : DATA;
    if (s->r)
        s->at = (size_t)(s->r - t->d->recipients) + 1;
}

/* " NAME=value", if it is one that a command can hold. */
static int
put_parameter(struct peer *p, char const *name, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.s[i] <= ' ' || value.s[i] >= 0x7f || value.s[i] == '=')
            return 1;
    return !value.len || (peer_puts(p, name) && peer_put(p, value.s, value.len));
}

static int
put_mail(struct transaction const *t, struct recipient const *r)
{
    struct peer *p = t->p;
    char number[UINT64_FMT];
    unsigned int has = p->features.has;
    int good = peer_puts(p, "MAIL FROM:<") && (!r->from.len || addr_quote(&p->out, r->from.s, r->from.len)) &&
               peer_puts(p, ">");

    if (has & SMTP_SIZE)
        good = good && peer_puts(p, " SIZE=") && peer_put(p, number, uint64_fmt(number, t->size));
    if ((has & SMTP_8BITMIME) && is(t->d->body, "8BITMIME"))
        good = good && peer_puts(p, " BODY=8BITMIME");
    if ((has & SMTP_SMTPUTF8) && (t->d->smtputf8 || has_8bit(r->from.s, r->from.len)))
        good = good && peer_puts(p, " SMTPUTF8");
    if (has & SMTP_DSN)
        good = good && put_parameter(p, " RET=", t->d->ret) && put_parameter(p, " ENVID=", t->d->envid);
    return good && peer_puts(p, "\r\n");
}

static int
put_rcpt(struct transaction const *t, struct recipient const *r)
{
    struct peer *p = t->p;
    int good = peer_puts(p, "RCPT TO:<") && addr_quote(&p->out, r->to.s, r->to.len) && peer_puts(p, ">");

    if (p->features.has & SMTP_DSN)
        good = good && put_parameter(p, " NOTIFY=", r->notify) && put_parameter(p, " ORCPT=", r->orcpt);
    return good && peer_puts(p, "\r\n");
}

static int
put_step(struct transaction const *t, struct step const *s)
{
    switch (s->kind) {
    case RSET:
        return peer_puts(t->p, "RSET\r\n");
    case MAIL:
        return put_mail(t, s->r);
    case RCPT:
        return put_rcpt(t, s->r);
    default:
        return peer_puts(t->p, "DATA\r\n");
    }
}

static void
take_rcpt(struct transaction *t, struct recipient *r, unsigned int code)
{
    struct verdict v;

    if (t->refused)
        return;
    if (code < 300) {
        r->state = RECIPIENT_ACCEPTED;
        t->accepted++;
    } else if ((code == 452 || code == 552) && t->accepted) {
        r->state = RECIPIENT_LATER; /* RFC 5321 section 4.5.3.1.10: the next transaction is for the rest */
    } else {
        verdict_reply(&v, t->p, code);
        delivery_settle(t->d, r, &v, 1);
    }
}

/* Makes of a reply what it means. Returns the code of DATA's, else 0. */
static unsigned int
take_step(struct transaction *t, struct step const *s, unsigned int code)
{
    if (s->kind == MAIL && code >= 300) {
        t->refused = 1;
        verdict_reply(&t->refusal, t->p, code);
    } else if (s->kind == RCPT)
        take_rcpt(t, s->r, code);
    return s->kind == DATA ? code : 0;
}

/* All commands and their replies: at once if the server takes that, else in turn. Returns 1, *data is the code
 * that DATA got, 0 if it was not sent; 0 if the connection is of no more use. */
static int
converse(struct transaction *t, unsigned int *data)
{
    int pipelining = (t->p->features.has & SMTP_PIPELINING) != 0;
    struct step s = {0};
    unsigned int code;

    *data = 0;
    for (next_step(t, &s); pipelining && s.kind != END; next_step(t, &s))
        if (!put_step(t, &s))
            return verdict_error(t->why, t->p, "4.3.0", "cannot write commands", ENOMEM), 0;
    if (pipelining) {
        s = (struct step){0};
        next_step(t, &s);
    }
    for (; s.kind != END; next_step(t, &s)) {
        if (!pipelining && (t->refused || (s.kind == DATA && !t->accepted)))
            return 1;
        if (!pipelining && !put_step(t, &s))
            return verdict_error(t->why, t->p, "4.3.0", "cannot write commands", ENOMEM), 0;
        code = transact_reply(t->p, t->seconds, s.kind == DATA ? "at DATA" : "before the message", t->why);
        if (!code)
            return 0;
        *data = take_step(t, &s, code);
    }
    return 1;
}

/* ---- the message ---- */

/* The connection broke while the message went out. If the server gave a reason, that is the answer. */
static int
last_words(struct transaction *t, int e)
{
    struct verdict ignored;
    unsigned int code = 0;

    verdict_error(t->why, t->p, "4.4.2", "connection lost while the message was sent", e);
    if (e != ETIMEDOUT)
        code = transact_reply(t->p, 5, "", &ignored);
    if (code >= 400) {
        verdict_reply(t->why, t->p, code);
        delivery_settle_all(t->d, RECIPIENT_ACCEPTED, RECIPIENT_LATER, t->why);
    }
    return 0;
}

/* A "yes" that is there before the dot went out is no answer to it, and whoever took it for one would lose mail. */
static int
spoke_early(struct peer const *p)
{
    return p->begin != p->end && p->in[p->begin] == '2';
}

/* Sends it with its dot. Returns 1, or 0 if the dot has not gone out. */
static int
send_message(struct transaction *t)
{
    struct delivery *d = t->d;
    struct peer *p = t->p;
    struct body body = {0};
    tain deadline;
    uint64_t at = 0;

    do {
        size_t n = 0;
        if (at < d->length && !delivery_load(d, at)) {
            verdict_error(t->why, p, "4.3.0", "cannot read the message", errno);
            t->why->remote[0] = 0;
            delivery_settle_all(d, RECIPIENT_WAITING, RECIPIENT_LATER, t->why);
            return 0;
        }
        if (at < d->length)
            n = d->chunklen;
        if (!stralloc_readyplus(&p->out, BODY_ROOM(n) + BODY_END))
            return last_words(t, ENOMEM);
        p->out.len += body_encode(&body, d->chunk, n, p->out.s + p->out.len);
        at += n;
        if (at == d->length && spoke_early(p)) {
            verdict_error(t->why, p, "4.5.0", "a reply before the message was sent", EPROTO);
            return 0;
        }
        if (at == d->length)
            p->out.len += body_end(&body, p->out.s + p->out.len);
        tain_addsec_g(&deadline, (int)t->seconds);
        if (!peer_flush(p, &deadline))
            return last_words(t, errno);
    } while (at < d->length);
    return 1;
}

/* What the server says when it has everything. RFC 5321 section 4.5.3.2.6 gives it ten minutes where others have five: it may
 * have delivered what we would send again. */
static int
take_message(struct transaction *t)
{
    unsigned int code = transact_reply(t->p, 2 * t->seconds, "after the message was sent: it may arrive twice", t->why);

    t->p->dirty = 0;
    if (code >= 200 && code < 300) {
        struct verdict v;
        verdict_reply(&v, t->p, code);
        t->p->messages++;
        delivery_settle_all(t->d, RECIPIENT_ACCEPTED, RECIPIENT_ACCEPTED, &v);
        delivery_turn(t->d, RECIPIENT_LATER, RECIPIENT_WAITING);
        return 1;
    }
    if (code)
        verdict_reply(t->why, t->p, code);
    delivery_settle_all(t->d, RECIPIENT_ACCEPTED, code ? RECIPIENT_LATER : RECIPIENT_ACCEPTED, t->why);
    return code != 0;
}

/* A server that wants a message for nobody gets an empty one (RFC 2920 section 3.1). */
static int
send_nothing(struct transaction *t)
{
    struct verdict ignored;

    t->p->dirty = 0;
    return peer_puts(t->p, ".\r\n") && transact_reply(t->p, t->seconds, "", &ignored);
}

/* After DATA's reply. */
static int
finish(struct transaction *t, unsigned int data)
{
    t->p->dirty = 1;
    if (data == 354 && !t->accepted)
        return send_nothing(t);
    if (data == 354)
        return send_message(t) && take_message(t);
    if (t->accepted) {
        verdict_reply(t->why, t->p, data);
        if (t->why->class == 'K') /* a 2xx, as if it had the message: it has not */
            t->why->class = 'Z', memcpy(t->why->code, "4.5.0", 6);
        delivery_settle_all(t->d, RECIPIENT_ACCEPTED, RECIPIENT_LATER, t->why);
        return data >= 400;
    }
    return 1;
}

/* Chooses the recipients. Returns their number. */
static unsigned int
choose(struct peer const *p, struct delivery *d)
{
    struct recipient *first = delivery_find(d, 0, RECIPIENT_WAITING);
    unsigned int n = 0;

    if (!first)
        return 0;
    for (struct recipient *r = first; r < d->recipients + d->count; r++)
        if (r->state == RECIPIENT_WAITING && r->from.len == first->from.len &&
            !memcmp(r->from.s, first->from.s, r->from.len)) {
            r->state = RECIPIENT_GOING;
            if (++n == p->features.rcptmax)
                break;
        }
    return n;
}

int
transact(struct peer *p, struct delivery *d, uint32_t seconds, struct verdict *why)
{
    struct transaction t = {.p = p, .d = d, .why = why, .seconds = seconds, .reset = p->dirty, .size = wire_size(d)};
    unsigned int data;
    int good;

    check(d, p, t.size);
    if (!choose(p, d))
        return 1;
    good = converse(&t, &data) && finish(&t, data);
    if (t.refused)
        delivery_settle_all(d, RECIPIENT_GOING, RECIPIENT_GOING, &t.refusal);
    if (good)
        return 1;
    /* Nobody has the message: all of these may be tried elsewhere. */
    delivery_turn(d, RECIPIENT_GOING, RECIPIENT_WAITING);
    delivery_turn(d, RECIPIENT_ACCEPTED, RECIPIENT_WAITING);
    delivery_turn(d, RECIPIENT_LATER, RECIPIENT_WAITING);
    peer_close(p);
    return 0;
}
