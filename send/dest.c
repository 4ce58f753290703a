#include "send/dest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "send/park.h"
#include "send/settings.h"

#define LOCALS_PER_JOB 16
#define RELOOK 1000   /* milliseconds: a held destination's settings are read so often */
#define KEEP 600000   /* and what is known of a destination is remembered so long */
#define SITE_NAME 255 /* bytes */

static uint32_t
hash(uint32_t h, struct bytes name)
{
    h *= 2654435761u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.s[i]) * 16777619u;
    return (h ^ h >> 16) % SEND_DESTS;
}

/* ---- sites ---- */

static struct site *
site_find(struct send *s, struct bytes name)
{
    struct site **at = s->sites + hash(0, name);
    struct site *site;

    for (site = *at; site; site = site->next)
        if (site->len == name.len && !memcmp(site->name, name.s, name.len))
            return site;
    site = calloc(1, sizeof *site + name.len + 1);
    if (!site)
        return 0;
    memcpy(site->name, name.s, name.len);
    site->len = name.len;
    site->next = *at;
    *at = site;
    return site;
}

static void
site_leave(struct send *s, struct dest *d)
{
    struct site *site = d->site;
    struct site **at;

    if (!site)
        return;
    d->site = 0;
    site->running -= d->running;
    if (--site->users)
        return;
    for (at = s->sites + hash(0, (struct bytes){site->name, site->len}); *at != site;)
        at = &(*at)->next;
    *at = site->next;
    free(site);
}

/* Whoever is blocked stays with his site until it is his turn there. */
void
dest_served(struct send *s, struct dest *d, struct bytes host)
{
    char name[SITE_NAME + 1];
    struct site *site;

    if (d->route != ROUTE_REMOTE || !host.len || host.len > SITE_NAME)
        return;
    for (size_t i = 0; i < host.len; i++)
        name[i] = (char)tolower((unsigned char)host.s[i]);
    name[host.len] = 0;
    site = d->site;
    if (!d->blocked && (!site || site->len != host.len || memcmp(site->name, name, host.len) != 0)) {
        site = site_find(s, (struct bytes){name, host.len});
        if (!site)
            return;
        site->users++; /* first: it may be the one that is left */
        site_leave(s, d);
        d->site = site;
        site->running += d->running;
    }
    if (!site->read || s->clock.boot - site->read >= RELOOK) {
        site->set = settings_site(s, site->name);
        site->limit = 0;
        site->read = s->clock.boot ? s->clock.boot : 1;
    }
    if (site->set)
        site->limit = site->set;
    else if (site->limit < d->limit)
        site->limit = d->limit;
}

void
dest_enter(struct dest *d)
{
    d->running++;
    if (d->site)
        d->site->running++;
}

void
dest_leave(struct dest *d)
{
    d->running--;
    if (d->site)
        d->site->running--;
}

static int
site_full(struct site const *site)
{
    return site->limit && site->running >= site->limit;
}

uint32_t
dest_places(struct site const *site)
{
    return site_full(site) ? 0 : site->limit ? site->limit - site->running : UINT32_MAX;
}

struct dest *
dest_unblock(struct site *site)
{
    struct dest *d = site->blocked;

    if (!d)
        return 0;
    site->blocked = d->blockednext;
    d->blocked = 0;
    return d;
}

static void
block(struct dest *d)
{
    struct site *site = d->site;

    if (d->blocked)
        return;
    d->blocked = 1;
    d->blockednext = 0;
    if (site->blocked)
        site->blockedlast->blockednext = d;
    else
        site->blocked = d;
    site->blockedlast = d;
}

/* ---- destinations ---- */

static struct dest **
chain(struct send *s, int route, struct bytes name)
{
    return s->dests + hash((uint32_t)route + 1, name);
}

int
dest_held(struct dest const *d)
{
    return d->held || d->channel->held;
}

void
dest_limits(struct send *s, struct dest *d)
{
    struct settings_dest set;

    d->read = s->clock.boot;
    if (d->route != ROUTE_REMOTE) {
        d->limit = d->route == ROUTE_LOCAL && s->settings.concurrencyuser ? s->settings.concurrencyuser : SEND_JOBS;
        d->perjob = LOCALS_PER_JOB;
        d->schedule = s->settings.schedule;
        pace_limits(&d->pace, d->limit, 0, 0, 0);
        d->pace.window = d->limit;
        return;
    }
    settings_dest(s, d->name, &set);
    d->limit = set.concurrency;
    d->perjob = set.rcptperjob;
    d->schedule = set.schedule;
    pace_limits(&d->pace, d->limit, set.deadtime * 1000, set.ratenumber, set.ratetime * 1000);
    d->held = set.hold != 0;
    if (d->held)
        (void)wake_at(&s->wakes, d, s->clock.boot + RELOOK + s->ndests); /* a thousand looks a second at most */
}

static int
is_used(struct dest const *d)
{
    int ready = d->blocked || d->park.listed || d->waiting[PARK_NEW] || d->waiting[PARK_OLD];

    for (unsigned int i = 0; i < LANES; i++)
        ready |= d->lanes[i].isready;
    return ready || d->running || !park_empty(&d->park);
}

struct dest *
dest_find(struct send *s, int route, struct bytes name)
{
    struct dest **at = chain(s, route, name);
    struct dest *d;

    for (d = *at; d; d = d->next)
        if (d->route == route && d->len == name.len && !memcmp(d->name, name.s, name.len)) {
            if (s->clock.boot - d->read >= RELOOK || !is_used(d))
                dest_limits(s, d);
            return d;
        }
    d = calloc(1, sizeof *d + name.len + 1);
    if (!d)
        return 0;
    memcpy(d->name, name.s, name.len);
    d->len = name.len;
    d->route = (uint8_t)route;
    d->channel = s->channels + (route == ROUTE_REMOTE ? CHANNEL_REMOTE : CHANNEL_LOCAL);
    park_init(&d->park, d, d->channel);
    dest_limits(s, d);
    if (route == ROUTE_REMOTE) {
        uint32_t deadtime = d->pace.deadtime, number = d->pace.number, period = d->pace.period;
        pace_init(&d->pace, d->limit);
        pace_limits(&d->pace, d->limit, deadtime, number, period);
    }
    d->next = *at;
    *at = d;
    s->ndests++;
    return d;
}

void
dest_idle(struct send *s, struct dest *d)
{
    struct dest **at = chain(s, d->route, (struct bytes){d->name, d->len});

    /* What its rate does not allow yet must not be allowed because that was forgotten. */
    int rests = pace_next(&d->pace, s->clock.boot) > s->clock.boot;

    if (is_used(d) || (s->clock.boot < d->keep && (rests || s->ndests <= SEND_KEPT) && wake_at(&s->wakes, d, d->keep)))
        return;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    site_leave(s, d);
    wake_forget(&s->wakes, d);
    s->ndests--;
    free(d);
}

/* A dead one starts none, but those that wait for it are told so in the same way. */
int
dest_may_start(struct dest const *d)
{
    return !dest_held(d) && (pace_rests(&d->pace) || (d->running < d->pace.window && d->running < d->limit));
}

int
dest_must_wait(struct send *s, struct dest *d)
{
    uint64_t next = pace_next(&d->pace, s->clock.boot);

    if (d->site && site_full(d->site)) {
        block(d);
        return 1;
    }
    return next > s->clock.boot && wake_at(&s->wakes, d, next);
}

void
dest_remember(struct send const *s, struct dest *d)
{
    uint64_t until = pace_next(&d->pace, s->clock.boot);

    if (d->pace.dead > until)
        until = d->pace.dead;
    if (d->pace.paused > until)
        until = d->pace.paused;
    d->keep = until + KEEP;
}

void
dest_revive(struct send *s, char const *domain)
{
    for (unsigned int i = 0; i < SEND_DESTS; i++)
        for (struct dest *d = s->dests[i]; d; d = d->next)
            if (d->route == ROUTE_REMOTE && (!domain || !strcmp(domain, d->name)))
                pace_revive(&d->pace, UINT64_MAX);
}
