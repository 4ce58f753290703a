#include "send/schedule.h"

#include <time.h>

#define JUMP 3600        /* seconds; less is a clock being put right */
#define BELIEVE 86400000 /* milliseconds */

int
clock_set(struct clock *c, uint64_t boot, uint64_t wall)
{
    uint64_t base = wall - boot / 1000; /* modulo 2^64, as all sums with it */
    int64_t off;

    c->boot = boot;
    c->wall = wall;
    if (!c->base)
        c->base = base;
    off = (int64_t)(base - c->base);
    if (off >= -JUMP && off <= JUMP) {
        c->base = base; /* slow drift is followed */
        c->jumped = 0;
        return 0;
    }
    if (c->jumped && boot - c->jumped >= BELIEVE) {
        c->base = base;
        c->jumped = 0;
        return 0;
    }
    off = (int64_t)(base - c->jumpedbase);
    if (c->jumped && off >= -JUMP && off <= JUMP)
        return 0;
    c->jumped = boot ? boot : 1;
    c->jumpedbase = base;
    return 1;
}

int
clock_read(struct clock *c)
{
    struct timespec boot, wall;

    if (clock_gettime(CLOCK_BOOTTIME, &boot) == -1 || clock_gettime(CLOCK_REALTIME, &wall) == -1)
        return 0;
    return clock_set(c, (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000, (uint64_t)wall.tv_sec);
}

uint64_t
clock_age(struct clock const *c, uint64_t then)
{
    uint64_t steady = c->base + c->boot / 1000;
    uint64_t now = (int64_t)(steady - c->wall) < 0 ? steady : c->wall;

    return now > then ? now - then : 0;
}

static uint64_t
root(uint64_t n)
{
    uint64_t r = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= n)
            r |= bit;
    return r;
}

uint64_t
schedule_wait(uint64_t age, uint32_t first, uint32_t most)
{
    uint64_t wait;

    if (age > UINT32_MAX)
        age = UINT32_MAX;
    /* (sqrt(age) + sqrt(first)) squared, less age */
    wait = first + 2 * root(age * first);
    if (wait > most)
        wait = most;
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
