#include "send/pace.h"

#include <string.h>

void
pace_init(struct pace *p, uint32_t limit)
{
    memset(p, 0, sizeof *p);
    p->limit = p->steep = limit;
    p->window = limit < PACE_FIRST ? limit : PACE_FIRST;
}

void
pace_limits(struct pace *p, uint32_t limit, uint32_t deadtime, uint32_t number, uint32_t period)
{
    if (p->steep == p->limit || p->steep > limit)
        p->steep = limit;
    p->limit = limit;
    if (p->window > limit)
        p->window = limit;
    p->deadtime = deadtime;
    p->number = number;
    p->period = period;
}

int
pace_dead(struct pace *p, uint64_t now)
{
    if (!pace_rests(p))
        return 0;
    if (now < p->dead || now < p->paused)
        return 1;
    p->dead = p->paused = 0;
    p->window = 1;
    return 0;
}

int
pace_rests(struct pace const *p)
{
    return p->dead || p->paused;
}

void
pace_pause(struct pace *p, uint64_t time, uint64_t now)
{
    if (now + time > p->paused)
        p->paused = now + time;
    p->died = now;
}

/* An even flow: whoever may have 60 a minute gets one a second, and never 120 around a full minute. */
uint64_t
pace_next(struct pace const *p, uint64_t now)
{
    return p->number && p->free > now ? p->free : now;
}

void
pace_begin(struct pace *p, uint32_t running, uint64_t now)
{
    if (running == 1)
        p->moved = now;
    if (p->number)
        p->free = now + (p->period + p->number - 1) / p->number;
}

static void
grow(struct pace *p)
{
    if (p->window >= p->limit)
        return;
    if (p->window >= p->steep && ++p->credit < p->window)
        return;
    p->window++;
    p->credit = 0;
}

static void
shrink(struct pace *p)
{
    p->window = p->window > 1 ? p->window / 2 : 1;
    p->steep = p->window;
    p->credit = 0;
}

/* The longer it is dead, the more rarely it is asked. */
static void
die(struct pace *p, uint64_t now)
{
    uint64_t wait = p->deadlast ? 2 * (uint64_t)p->deadlast : p->deadtime;

    if (wait > (uint64_t)p->deadtime * PACE_LATER)
        wait = (uint64_t)p->deadtime * PACE_LATER;
    if (wait > UINT32_MAX)
        wait = UINT32_MAX;
    p->deadlast = (uint32_t)wait;
    p->dead = now + wait;
    p->died = now;
}

void
pace_end(struct pace *p, enum pace_result r, uint64_t took, uint64_t now)
{
    p->moved = now;
    p->slow = took >= PACE_SLOW;
    if (r == PACE_TROUBLE) {
        shrink(p);
        /* Those that were under way when it died say nothing new. */
        if (++p->failures >= PACE_DEAD && p->deadtime && !p->dead)
            die(p, now);
        return;
    }
    p->failures = p->deadlast = 0;
    p->dead = 0;
    if (r == PACE_GOOD)
        grow(p);
}

void
pace_note(struct pace *p, char const *text, size_t len)
{
    if (len >= PACE_TEXT)
        len = PACE_TEXT - 1;
    memcpy(p->why, text, len);
    p->why[len] = 0;
}

void
pace_look(struct pace *p, uint64_t now)
{
    if (now - p->moved >= PACE_SLOW)
        p->slow = 1;
}

void
pace_revive(struct pace *p, uint64_t asked)
{
    if (!pace_rests(p) || p->died >= asked)
        return;
    p->window = 1;
    p->dead = p->paused = 0;
    p->failures = p->deadlast = 0;
}
