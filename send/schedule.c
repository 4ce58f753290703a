#include "send/schedule.h"

#define EARLY 2  /* seconds that an attempt may come before its plan */
#define SHORT 60 /* seconds; waits below are not that exact */

static uint64_t
root(uint64_t n)
{
    uint64_t r = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= n)
            r |= bit;
    return r;
}

/* By how many hundredths of a percent this message's waits grow. */
static uint64_t
share(uint32_t percent, char const *id)
{
    uint32_t h = 2166136261u;

    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 16777619u;
    return (uint64_t)percent * ((h ^ h >> 16) % 101);
}

static uint64_t
grown(uint64_t wait, uint64_t by)
{
    return wait + wait * by / 10000;
}

/* (sqrt(age) + sqrt(first)) squared, less age */
static uint64_t
square(struct schedule const *s, uint64_t age)
{
    uint64_t wait = s->first + 2 * root(age * s->first);

    return wait > s->most ? s->most : wait;
}

static uint64_t
early(uint64_t step)
{
    return step >= SHORT ? EARLY : 0;
}

/* Attempts are planned for the sums of the waits; the next one is the first that lies ahead. One that came a second early, for
 * two clocks count whole seconds, is the one that was planned. */
static uint64_t
listed(struct schedule const *s, uint64_t age, uint64_t by)
{
    uint64_t plan = 0, step, wait;
    unsigned int i = 0;

    for (step = s->waits[0]; plan + step <= age + early(step) && i + 1 < s->count; step = s->waits[++i])
        plan += step;
    if (!step)
        return 1;
    if (plan + step <= age + early(step))
        plan += (age + early(step) - plan) / step * step;
    wait = plan + grown(step, by) - age;
    return wait < step / 2 ? step / 2 : wait;
}

uint64_t
schedule_wait(struct schedule const *s, uint64_t age, char const *id)
{
    uint64_t by = share(s->jitter, id);
    uint64_t wait;

    if (age > UINT32_MAX)
        age = UINT32_MAX;
    wait = s->count ? listed(s, age, by) : grown(square(s, age), by);
    return wait ? wait : 1;
}

uint32_t
schedule_key(struct clock const *c, uint64_t wall)
{
    uint64_t ahead = wall > c->wall ? wall - c->wall : 0;

    if (ahead > SCHEDULE_FURTHEST)
        ahead = SCHEDULE_FURTHEST;
    return (uint32_t)(c->boot / 1000 + ahead);
}
