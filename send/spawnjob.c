/* Jobs and results, and what they become on the way. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "control/users.h"
#include "queue/file.h"
#include "queue/layout.h"
#include "send/spawn.h"
#include "send/spawnroot.h"

/* ---- answers ---- */

static int
is_heard(struct spawn const *s, struct spawn_order const *o)
{
    return s->send.fd != -1 && s->session == o->session;
}

/* A result that finds no memory is lost: pneu-send hears of the connection's end
 * instead and tries again. */
static void
answer(struct spawn *s, struct spawn_order const *o, struct result *r)
{
    r->job = o->number;
    if (is_heard(s, o) && !result_put(&s->send.out, r))
        s->broken = 1;
}

static void
end_order(struct spawn *s, struct spawn_order *o)
{
    struct result done = {.done = 1};

    answer(s, o, &done);
    close(o->lock);
    if (o->copy != -1)
        close(o->copy);
    free(o);
}

/* "Z4.3.0 text" for these recipients. */
static void
answer_text(struct spawn *s, struct spawn_order const *o, stralloc const *owed, char const *text)
{
    struct result r = {.class = *text};
    stralloc to = STRALLOC_ZERO;
    char number[UINT32_FMT + 1];
    size_t code = strcspn(text, " ");
    int good = 1;

    for (size_t i = 0; good && i < owed->len; i += sizeof(uint32_t)) {
        uint32_t index;
        memcpy(&index, owed->s + i, sizeof index);
        size_t n = uint32_fmt(number, index);
        number[n] = ',';
        /* A record holds so many: the rest is Z at `done` by the protocol. */
        if (to.len + n + 1 > ENVELOPE_VALUE_MAX)
            break;
        good = stralloc_catb(&to, number, n + 1);
    }
    if (to.len) {
        r.to = (struct bytes){to.s, to.len - 1};
        r.code = (struct bytes){text + 1, code - 1};
        r.text = (struct bytes){text + code + 1, strlen(text + code + 1)};
        answer(s, o, &r);
    }
    stralloc_free(&to);
}

void
spawn_end(struct spawn *s, struct spawn_piece *p)
{
    if (!--p->order->pieces)
        end_order(s, p->order);
    stralloc_free(&p->home);
    stralloc_free(&p->key);
    stralloc_free(&p->frame);
    stralloc_free(&p->address);
    stralloc_free(&p->owed);
    free(p);
}

void
spawn_refuse(struct spawn *s, struct spawn_piece *p, char const *text)
{
    answer_text(s, p->order, &p->owed, text);
    spawn_end(s, p);
}

/* ---- results ---- */

/* Strikes one recipient out. Returns 1, or 0: none is owed to it. */
static int
strike(stralloc *owed, uint32_t index)
{
    for (size_t i = 0; i < owed->len; i += sizeof index)
        if (!memcmp(owed->s + i, &index, sizeof index)) {
            owed->len -= sizeof index;
            memmove(owed->s + i, owed->s + i + sizeof index, owed->len - i);
            return 1;
        }
    return 0;
}

int
spawn_result(struct spawn *s, struct spawn_piece *p, struct bytes frame, int *done)
{
    struct result r;
    uint32_t first, last;
    int got = 0;

    if (!result_scan(frame, &r) || r.job != p->order->number)
        return (errno = EPROTO, 0);
    *done = r.done;
    if (r.class) {
        /* A user's process may say what it likes, of its own recipients. */
        struct bytes ranges = r.to;
        while ((got = file_range_next(&ranges, &first, &last)) == 1)
            for (uint64_t i = first; i <= last; i++)
                if (!strike(&p->owed, (uint32_t)i))
                    return (errno = EPROTO, 0);
        if (got == -1)
            return (errno = EPROTO, 0);
        r.done = 0;
        answer(s, p->order, &r);
    }
    return 1;
}

/* ---- jobs ---- */

static int
put_bytes(stralloc *to, char const *name, struct bytes v)
{
    return !v.len || envelope_put(to, name, v.s, v.len);
}

static int
put_flag(stralloc *to, char const *name, int set)
{
    return !set || envelope_put(to, name, "1", 1);
}

/* The head of a job whose message is in a copy of its own. */
static int
put_head(stralloc *to, struct job const *j)
{
    return envelope_putuint(to, "job", j->number) && put_bytes(to, "transport", j->transport) &&
           put_bytes(to, "key", j->key) && put_bytes(to, "id", j->id) && envelope_putuint(to, "offset", 0) &&
           envelope_putuint(to, "length", j->length) && put_flag(to, "again", j->again) &&
           envelope_put(to, "from", j->from.s, j->from.len) && put_bytes(to, "body", j->body) &&
           put_flag(to, "smtputf8", j->smtputf8) && put_bytes(to, "ret", j->ret) && put_bytes(to, "envid", j->envid) &&
           put_flag(to, "requiretls", j->requiretls);
}

static int
put_recipient(stralloc *to, struct job_recipient const *r, struct user const *u)
{
    return envelope_put(to, "to", r->to.s, r->to.len) && envelope_putuint(to, "index", r->index) &&
           envelope_put(to, "from", r->from.s, r->from.len) && put_bytes(to, "notify", r->notify) &&
           put_bytes(to, "orcpt", r->orcpt) && envelope_put(to, "user", u->name, strlen(u->name)) &&
           envelope_put(to, "home", u->home, strlen(u->home)) && envelope_put(to, "dash", u->dash, strlen(u->dash)) &&
           envelope_put(to, "ext", u->ext, strlen(u->ext));
}

/* A new piece at the end of the list. NULL: no memory. */
static struct spawn_piece *
add_piece(struct spawn_piece ***tail, struct spawn_order *o, struct job const *j, char kind, struct bytes address,
          struct user const *u)
{
    struct spawn_piece *p = calloc(1, sizeof *p);

    if (!p)
        return 0;
    p->order = o;
    p->kind = kind;
    p->uid = u ? u->uid : 0;
    **tail = p;
    *tail = &p->next;
    o->pieces++;
    char const *home = kind == SPAWN_LOCAL ? u->home : "";
    return stralloc_copyb(&p->key, j->key.s, j->key.len) && stralloc_copys(&p->home, home) && stralloc_0(&p->home) &&
                   stralloc_copyb(&p->address, address.s, address.len) && (!u || put_head(&p->frame, j))
               ? p
               : 0;
}

static struct spawn_piece *
find_piece(struct spawn_piece *p, char kind, struct user const *u)
{
    while (p && (p->uid != u->uid || (kind == SPAWN_LOCAL && strcmp(p->home.s, u->home) != 0)))
        p = p->next;
    return p;
}

/* What belongs to a job being cut up. */
struct cutting {
    struct spawn *s;
    struct spawn_order *order;
    struct job const *job;
    char kind;
    struct spawn_piece *pieces, **tail;
};

/* One recipient of -L: to the piece of its uid and home. Returns 1, or 0: no
 * memory. */
static int
cut_local(struct cutting *c, struct job_recipient const *r)
{
    struct user u = USER_ZERO;
    stralloc owed = {.s = (char *)(uintptr_t)&r->index, .len = sizeof r->index};
    struct bytes address = r->to;
    int good = 1;

    if (c->kind == SPAWN_LOCAL)
        for (size_t i = r->to.len; i--;)
            if (r->to.s[i] == '@') {
                address.len = i;
                break;
            }
    int found = users_find(address.s, address.len, &u);
    if (found == 1) {
        struct spawn_piece *p = find_piece(c->pieces, c->kind, &u);
        if (!p)
            p = add_piece(&c->tail, c->order, c->job, c->kind, address, &u);
        good = p && put_recipient(&p->frame, r, &u) && stralloc_catb(&p->owed, owed.s, owed.len);
    } else
        answer_text(c->s, c->order, &owed, spawnroot_unknown(found));
    stralloc_free(&u.storage);
    return good;
}

static int
cut(struct cutting *c, struct bytes frame)
{
    struct job_recipient r;
    struct bytes cursor = c->job->recipients;
    struct spawn_piece *all = 0;

    if (c->kind == SPAWN_REMOTE) {
        all = add_piece(&c->tail, c->order, c->job, c->kind, (struct bytes){"", 0}, 0);
        if (!all || !stralloc_copyb(&all->frame, frame.s, frame.len))
            return 0;
    }
    while (job_next(c->job, &cursor, &r) == 1)
        if (all ? !stralloc_catb(&all->owed, (char const *)&r.index, sizeof r.index) : !cut_local(c, &r))
            return 0;
    return 1;
}

static char
job_kind(struct spawn const *s, struct job const *j)
{
    static struct {
        char const *name;
        char kind;
        int local;
    } const kinds[] = {{"local", SPAWN_LOCAL, 1}, {"mailbox", SPAWN_MAILBOX, 1}, {"remote", SPAWN_REMOTE, 0}};

    for (unsigned int i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].local == s->local && j->transport.len == strlen(kinds[i].name) &&
            !memcmp(j->transport.s, kinds[i].name, j->transport.len))
            return kinds[i].kind;
    return 0;
}

/* All that could not be cut up, or copied, is tried again later. */
static void
drop(struct cutting *c, char const *text)
{
    struct spawn_piece *next;

    c->order->pieces++; /* keeps it until all are gone */
    for (struct spawn_piece *p = c->pieces; p; p = next) {
        next = p->next;
        spawn_refuse(c->s, p, text);
    }
    if (!--c->order->pieces)
        end_order(c->s, c->order);
}

int
spawn_order(struct spawn *s, struct bytes frame, int fd)
{
    struct job j;
    struct cutting c = {.s = s, .job = &j};

    c.tail = &c.pieces;
    if (!job_scan(frame, &j) || !(c.kind = job_kind(s, &j)))
        return (close(fd), errno = EPROTO, 0);
    c.order = calloc(1, sizeof *c.order);
    if (!c.order)
        return (close(fd), errno = ENOMEM, 0);
    *c.order = (struct spawn_order){.number = j.number, .session = s->session, .lock = fd, .copy = -1};
    if (!cut(&c, frame)) {
        drop(&c, "Z4.3.0 Out of memory");
        return 1;
    }
    if (s->local && c.pieces)
        c.order->copy = spawn_copy(fd, j.offset, j.length, "queue/lock");
    if (!c.pieces || (s->local && c.order->copy == -1)) {
        drop(&c, "Z4.3.0 Unable to copy the message");
        return 1;
    }
    *s->last = c.pieces;
    s->last = c.tail;
    return 1;
}
