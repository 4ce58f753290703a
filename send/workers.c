/* The deliverers: started, reused, ended. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "lib/log.h"
#include "send/spawn.h"
#include "send/spawnroot.h"

#define IDLE_LOCAL 5    /* seconds; then a user's process is not kept */
#define IDLE_REMOTE 310 /* they hang up after timeoutidle, 300 at most */
#define AGE_LOCAL 60    /* so that changed settings reach busy ones too */
#define PENALTY 2       /* seconds a slot is empty after a deliverer that did nothing */

/* ---- ends ---- */

static void
forget(struct spawn_worker *w)
{
    jobwire_free(&w->wire);
    stralloc_free(&w->home);
    stralloc_free(&w->key);
    memset(w, 0, sizeof *w);
    w->wire = (struct jobwire)JOBWIRE_ZERO;
}

/* It died, or said what it may not say. The slot of one that never did anything
 * stays empty for a while: a deliverer that crashes at its start costs a few
 * processes a second, not a processor. */
static void
lose(struct spawn *s, struct spawn_worker *w)
{
    struct spawn_piece *p = w->piece;
    int useless = p && !w->jobs;

    if (p)
        spawn_refuse(s, p, "Z4.3.0 The deliverer died");
    forget(w);
    if (useless) {
        w->used = 1;
        tain_addsec_g(&w->until, PENALTY);
    }
}

void
workers_tick(struct spawn *s, tain *next)
{
    for (unsigned int i = 0; i < s->workers; i++) {
        struct spawn_worker *w = s->worker + i;
        if (!w->used || w->piece)
            continue;
        if (!tain_future(&w->until))
            forget(w);
        else if (tain_less(&w->until, next))
            *next = w->until;
    }
    while (s->workers && !s->worker[s->workers - 1].used)
        s->workers--;
}

/* ---- choice ---- */

static int
is_idle(struct spawn_worker const *w)
{
    return w->used && !w->piece && w->wire.fd != -1;
}

/* May it take that piece? For -L it must be of the same uid and home. */
static int
fits(struct spawn_worker const *w, struct spawn_piece const *p)
{
    return is_idle(w) && w->kind == p->kind && w->uid == p->uid && !strcmp(w->home.s, p->home.s);
}

static int
same_key(struct spawn_worker const *w, struct spawn_piece const *p)
{
    return w->key.len == p->key.len && !memcmp(w->key.s, p->key.s, w->key.len);
}

/* The one of the same key, else the one that was idle longest. */
static struct spawn_worker *
choose(struct spawn *s, struct spawn_piece const *p)
{
    struct spawn_worker *best = 0;

    for (unsigned int i = 0; i < s->workers; i++) {
        struct spawn_worker *w = s->worker + i;
        if (!fits(w, p))
            continue;
        if (same_key(w, p))
            return w;
        if (!best || tain_less(&w->until, &best->until))
            best = w;
    }
    return best;
}

/* A slot for a new one: a free one below the limit, else that of the one that was
 * idle longest, which ends. NULL: all are at work. */
static struct spawn_worker *
find_slot(struct spawn *s)
{
    struct spawn_worker *free = 0, *idle = 0;

    for (unsigned int i = 0; i < s->limit; i++) {
        struct spawn_worker *w = s->worker + i;
        if (!w->used)
            free = free ? free : w;
        else if (is_idle(w) && (!idle || tain_less(&w->until, &idle->until)))
            idle = w;
    }
    if (!free && idle)
        forget(free = idle);
    if (free && free >= s->worker + s->workers)
        s->workers = (unsigned int)(free - s->worker) + 1;
    return free;
}

/* ---- work ---- */

static void
read_limit(struct spawn *s)
{
    uint32_t limit;

    if (tain_future(&s->reread))
        return;
    tain_addsec_g(&s->reread, 1);
    /* A setting that cannot be read leaves the last one. */
    if (control_uint(s->local ? SET_concurrencylocal : SET_concurrencyremote, &limit) && limit)
        s->limit = limit < SPAWN_WORKERS_MAX ? limit : SPAWN_WORKERS_MAX;
}

/* Hands the piece over. Returns 1, also if it had to be answered instead; 0: the
 * deliverer is dead. */
static int
give(struct spawn *s, struct spawn_worker *w, struct spawn_piece *p)
{
    struct spawn_order const *o = p->order;
    struct bytes frame = {p->frame.s, p->frame.len};
    int good = stralloc_copyb(&w->key, p->key.s, p->key.len);

    if (good && o->copy == -1)
        good = jobwire_put(&w->wire, frame, o->lock);
    else if (good) {
        int fd = spawn_reopen(o->copy);
        good = fd != -1 && jobwire_give(&w->wire, frame, fd);
    }
    if (!good) {
        spawn_refuse(s, p, "Z4.3.0 Unable to hand the message over");
        tain_copynow(&w->until); /* ended by the next tick */
        return 1;
    }
    if (jobwire_flush(&w->wire) == -1)
        return 0;
    w->piece = p;
    return 1;
}

/* Starts a deliverer for the piece. Returns it, or NULL: the piece is answered;
 * *gone: there is no starter any more. */
static struct spawn_worker *
start(struct spawn *s, struct spawn_worker *w, struct spawn_piece *p, int *gone)
{
    char text[SPAWNROOT_MAX + 1];
    int fd = spawnroot_ask(s->root, p->kind, p->address.s, p->address.len, text);

    *gone = !*text;
    if (fd != -1 && jobwire_init(&w->wire, fd) && stralloc_copyb(&w->home, p->home.s, p->home.len)) {
        w->used = 1;
        w->kind = p->kind;
        w->uid = p->uid;
        tain_copynow(&w->born);
        return w;
    }
    if (fd != -1 && w->wire.fd == -1)
        close(fd);
    forget(w);
    if (*text == 'Z') /* no process, no memory: not at once again */
        tain_addsec_g(&s->pause, 1);
    spawn_refuse(s, p, fd == -1 && *text ? text : "Z4.3.0 Out of memory");
    return 0;
}

/* One waiting piece. Returns 1; 0 it waits on; -1 there is no starter. */
static int
place(struct spawn *s, struct spawn_piece *p, struct spawn_piece **from)
{
    struct spawn_worker *w = choose(s, p);
    int gone = 0, fresh = !w;

    if (fresh && tain_future(&s->pause))
        return 0;
    if (fresh && !(w = find_slot(s))) {
        read_limit(s);
        if (!(w = find_slot(s)))
            return 0;
    }
    *from = p->next;
    if (!*from)
        s->last = from;
    p->next = 0;
    if (fresh)
        w = start(s, w, p, &gone);
    if (w && !give(s, w, p)) {
        if (fresh) {
            w->piece = p;
            lose(s, w);
        } else { /* it ended just now: another one */
            forget(w);
            p->next = *from;
            *from = p;
            if (!p->next)
                s->last = &p->next;
        }
    }
    return gone ? -1 : 1;
}

int
workers_dispatch(struct spawn *s)
{
    int placed;

    for (struct spawn_piece **at = &s->waiting; *at;) {
        placed = place(s, *at, at);
        if (placed == -1)
            return 0;
        if (!placed)
            at = &(*at)->next;
    }
    return 1;
}

static void
rest(struct spawn *s, struct spawn_worker *w)
{
    tain age;

    w->piece = 0;
    w->jobs++;
    tain_addsec_g(&w->until, s->local ? IDLE_LOCAL : IDLE_REMOTE);
    tain_addsec(&age, &w->born, AGE_LOCAL);
    if (s->local && !tain_future(&age))
        forget(w);
}

/* Takes what it says. Returns 1, or 0: it is lost. */
static int
listen_to(struct spawn *s, struct spawn_worker *w)
{
    struct bytes frame;
    int got, done;

    while ((got = jobwire_take(&w->wire, RESULT_MAX, &frame)) == 1) {
        done = 0;
        if (!w->piece || !spawn_result(s, w->piece, frame, &done))
            return 0;
        if (done) {
            spawn_end(s, w->piece);
            rest(s, w);
            if (!w->used)
                return 1;
        }
    }
    /* No deliverer has a descriptor to give. */
    return got == 0 && !w->wire.nfds;
}

void
workers_turn(struct spawn *s, struct spawn_worker *w)
{
    int got = jobwire_fill(&w->wire);
    int e = errno;

    if (!listen_to(s, w) || (w->used && (got == -1 || jobwire_flush(&w->wire) == -1))) {
        if (got != -1 || e != EPIPE || w->piece) {
            struct log l;
            log_start(&l, "deliverer-lost");
            if (w->piece)
                log_bytes(&l, "key", w->piece->key.s, w->piece->key.len);
            log_uint(&l, "uid", w->uid);
            log_end(&l);
        }
        lose(s, w);
    }
}
