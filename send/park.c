#include "send/park.h"

#include "send/dest.h"

#define DEST_ENOUGH 10 /* groups that wait loaded, beside as many as may run */
#define CHANNEL_ENOUGH 100

void
park_init(struct park *p, struct dest *d, struct channel *c)
{
    p->dest = d;
    p->channel = c;
    for (unsigned int i = 0; i < PARKS; i++)
        p->chains[i].first = p->chains[i].last = TABLE_NONE;
}

int
park_empty(struct park const *p)
{
    return !p->chains[PARK_NEW].count && !p->chains[PARK_OLD].count;
}

static int
is_full(struct send const *s, struct park const *p, unsigned int chain)
{
    struct channel const *c = p->channel;

    if (!c)
        return p != &s->released;
    if (c->held)
        return 1;
    if (p->dest)
        return p->dest->held ||
               p->dest->waiting[chain] >= (p->dest->limit < c->limit ? p->dest->limit : c->limit) + DEST_ENOUGH;
    return c->waiting[chain] >= 2 * c->limit + CHANNEL_ENOUGH;
}

static int
may_give(struct send const *s, struct park const *p, unsigned int chain)
{
    return p->chains[chain].count && !is_full(s, p, chain);
}

struct park *
park_of(struct send const *s, struct dest *d, unsigned int chain)
{
    if (is_full(s, &d->park, chain))
        return &d->park;
    return is_full(s, &d->channel->park, chain) ? &d->channel->park : 0;
}

static void
append(struct send *s, struct park *p, unsigned int chain, uint32_t entry)
{
    if (p->chains[chain].count++)
        s->table.entries[p->chains[chain].last].key = entry;
    else
        p->chains[chain].first = entry;
    p->chains[chain].last = entry;
}

void
park_put(struct send *s, struct park *p, unsigned int chain, uint32_t entry)
{
    struct entry *e = s->table.entries + entry;

    e->place = TABLE_PARKED;
    e->key = TABLE_NONE;
    append(s, p, chain, entry);
}

/* Parks that may give take turns: a long one does not hold up a short one. */
static void
list_last(struct send *s, struct park *p)
{
    p->listed = 1;
    p->next = 0;
    if (s->giving)
        s->givinglast->next = p;
    else
        s->giving = p;
    s->givinglast = p;
}

void
park_give(struct send *s, struct park *p)
{
    if (!p->listed && (may_give(s, p, PARK_NEW) || may_give(s, p, PARK_OLD)))
        list_last(s, p);
}

static uint32_t
take(struct send *s, struct park *p)
{
    unsigned int chain = p->turn++ % PARKS;
    uint32_t entry;

    if (!may_give(s, p, chain))
        chain = !chain;
    entry = p->chains[chain].first;
    p->chains[chain].first = s->table.entries[entry].key;
    p->chains[chain].count--;
    s->table.entries[entry].place = TABLE_ACTIVE;
    s->table.entries[entry].flags &= (uint8_t)~ENTRY_WANTED;
    return entry;
}

uint32_t
park_take(struct send *s)
{
    struct park *p;

    while ((p = s->giving)) {
        s->giving = p->next;
        p->listed = 0;
        if (may_give(s, p, PARK_NEW) || may_give(s, p, PARK_OLD)) {
            uint32_t entry = take(s, p);
            list_last(s, p);
            return entry;
        }
        if (p->dest)
            dest_idle(s, p->dest);
    }
    return TABLE_NONE;
}

void
park_release(struct send *s)
{
    struct park *from = &s->senders, *to = &s->released;

    for (unsigned int i = 0; i < PARKS; i++) {
        if (!from->chains[i].count)
            continue;
        if (to->chains[i].count)
            s->table.entries[to->chains[i].last].key = from->chains[i].first;
        else
            to->chains[i].first = from->chains[i].first;
        to->chains[i].last = from->chains[i].last;
        to->chains[i].count += from->chains[i].count;
        from->chains[i].count = 0;
    }
    park_give(s, to);
}

void
park_want(struct send *s, uint32_t entry)
{
    s->table.entries[entry].flags |= ENTRY_WANTED;
    s->wanted = 1;
}

static void
sift(struct send *s, struct park *p)
{
    for (unsigned int i = 0; i < PARKS; i++) {
        uint32_t n = p->chains[i].first, left = p->chains[i].count;
        for (p->chains[i].count = 0; left; left--) {
            struct entry *e = s->table.entries + n;
            uint32_t next = e->key;
            park_put(s, e->flags & ENTRY_WANTED ? &s->released : p, i, n);
            e->flags &= (uint8_t)~ENTRY_WANTED;
            n = next;
        }
    }
}

void
park_sift(struct send *s)
{
    if (!s->wanted)
        return;
    s->wanted = 0;
    sift(s, &s->senders);
    for (unsigned int i = 0; i < CHANNELS; i++)
        sift(s, &s->channels[i].park);
    for (unsigned int i = 0; i < SEND_DESTS; i++)
        for (struct dest *d = s->dests[i], *next; d; d = next) {
            next = d->next;
            if (park_empty(&d->park))
                continue;
            sift(s, &d->park);
            if (park_empty(&d->park))
                dest_idle(s, d);
        }
    park_give(s, &s->released);
}
