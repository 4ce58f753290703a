#include "send/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <skalibs/types.h>

#include "lib/crc.h"

#define JUMP 3600             /* seconds; less is a clock being put right */
#define RECENT 90000000       /* milliseconds: times that were written under the other clock are over then */
#define LAST INT64_C(1) << 40 /* no number of a clock is larger */

/* ---- offsets ---- */

/* The clock was set: it has an offset it had before, or a new one in place of the one that was seen last the longest ago. It was set between the
 * last look and this one, when nobody knows: until now it may have had the old one, and since the last look this one. */
static void
offset_change(struct clock *c, int64_t by, int64_t looked)
{
    unsigned int oldest = 0;

    c->offsets[c->now].to = c->count;
    for (unsigned int i = 0; i < c->noffsets; i++) {
        struct clock_offset const *o = c->offsets + i;
        if (by - o->by <= JUMP && o->by - by <= JUMP) {
            c->now = i;
            return;
        }
        if (o->to < c->offsets[oldest].to)
            oldest = i;
    }
    c->now = c->noffsets < CLOCK_OFFSETS ? c->noffsets++ : oldest;
    c->offsets[c->now] = (struct clock_offset){by, looked, c->count};
}

int
clock_set(struct clock *c, uint64_t boot, uint64_t wall)
{
    uint64_t base = wall - boot / 1000; /* modulo 2^64, as all sums with it */
    int64_t drift = (int64_t)(base - c->base);
    int jump = 0;

    if (!c->noffsets) {
        c->count = (int64_t)wall;
        offset_change(c, 0, c->count);
    } else if (drift > JUMP || drift < -JUMP) {
        int64_t looked = c->count;
        c->count += (int64_t)(boot - c->boot) / 1000;
        offset_change(c, (int64_t)wall - c->count, looked);
        c->jumped = boot ? boot : 1;
        jump = 1;
    }
    c->boot = boot;
    c->wall = wall;
    c->base = base;
    c->count = (int64_t)wall - c->offsets[c->now].by;
    if (c->offsets[c->now].to < c->count)
        c->offsets[c->now].to = c->count;
    if (c->jumped && boot - c->jumped > RECENT)
        c->jumped = 0;
    return jump;
}

int
clock_read(struct clock *c)
{
    struct timespec boot, wall;

    if (clock_gettime(CLOCK_BOOTTIME, &boot) == -1 || clock_gettime(CLOCK_REALTIME, &wall) == -1)
        return 0;
    return clock_set(c, (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000, (uint64_t)wall.tv_sec);
}

/* ---- ages ---- */

/* What the count was when some clock said so: the latest of the times at which one did. */
static int
count_then(struct clock const *c, int64_t wall, int64_t *count)
{
    int found = 0;

    for (unsigned int i = 0; i < c->noffsets; i++) {
        struct clock_offset const *o = c->offsets + i;
        int64_t n = wall - o->by;
        if (n < o->from - JUMP || n > o->to + JUMP || (found && n <= *count))
            continue;
        *count = n;
        found = 1;
    }
    return found;
}

/* No clock that is known of did: the file is older than all that is known, or comes from elsewhere; or it is of a time that a clock was set
 * over, and came before that at the latest. */
static int64_t
count_guess(struct clock const *c, int64_t wall)
{
    struct clock_offset const *first = c->offsets;
    int64_t count = 0;
    int found = 0;

    for (unsigned int i = 0; i < c->noffsets; i++) {
        struct clock_offset const *o = c->offsets + i;
        if (o->from < first->from)
            first = o;
        if (i == c->now || wall - o->by < o->from || (found && o->to <= count))
            continue;
        count = o->to;
        found = 1;
    }
    return found ? count : wall - first->by;
}

uint64_t
clock_age(struct clock const *c, uint64_t then)
{
    int64_t count = 0, wall = then < (uint64_t)(LAST) ? (int64_t)then : LAST;

    if (!count_then(c, wall, &count))
        count = count_guess(c, wall);
    return c->count > count ? (uint64_t)(c->count - count) : 0;
}

/* ---- text ---- */

size_t
clock_fmt(struct clock const *c, char text[static CLOCK_TEXT], char const id[static CLOCK_BOOTID])
{
    int n = snprintf(text, CLOCK_TEXT, "%.*s %llu %lld %u %u\n", CLOCK_BOOTID, id, (unsigned long long)c->boot,
                     (long long)c->count, c->now, c->noffsets);

    for (unsigned int i = 0; i < c->noffsets; i++) {
        struct clock_offset const *o = c->offsets + i;
        n += snprintf(text + n, CLOCK_TEXT - (size_t)n, "%lld %lld %lld\n", (long long)o->by, (long long)o->from,
                      (long long)o->to);
    }
    n += snprintf(text + n, CLOCK_TEXT - (size_t)n, "%08lx\n", (unsigned long)crc32c(0, text, (size_t)n));
    return (size_t)n;
}

/* A number, and the character behind it. */
static int
number(char const **s, int64_t *to, char behind)
{
    size_t n = int64_scan(*s, to);

    if (!n || (*s)[n] != behind || *to > LAST || *to < -(LAST))
        return 0;
    *s += n + 1;
    return 1;
}

static int
scan(struct clock *c, char const *s)
{
    int64_t boot, now, noffsets;

    if (!number(&s, &boot, ' ') || !number(&s, &c->count, ' ') || !number(&s, &now, ' ') ||
        !number(&s, &noffsets, '\n') || boot < 0 || noffsets < 1 || noffsets > CLOCK_OFFSETS || now < 0 ||
        now >= noffsets)
        return 0;
    c->boot = (uint64_t)boot;
    c->now = (unsigned int)now;
    c->noffsets = (unsigned int)noffsets;
    for (unsigned int i = 0; i < c->noffsets; i++) {
        struct clock_offset *o = c->offsets + i;
        if (!number(&s, &o->by, ' ') || !number(&s, &o->from, ' ') || !number(&s, &o->to, '\n'))
            return 0;
    }
    return 1;
}

/* The checksum is of all before the last line. */
static int
is_whole(char const *text, size_t len)
{
    char sum[10];

    if (len < CLOCK_BOOTID + 10 || len >= CLOCK_TEXT || text[CLOCK_BOOTID] != ' ')
        return 0;
    (void)snprintf(sum, sizeof sum, "%08lx\n", (unsigned long)crc32c(0, text, len - 9));
    return !memcmp(text + len - 9, sum, 9);
}

int
clock_scan(struct clock *c, char const *text, size_t len, char const id[static CLOCK_BOOTID], uint64_t boot)
{
    char copy[CLOCK_TEXT];

    memset(c, 0, sizeof *c);
    if (!is_whole(text, len))
        return 0;
    memcpy(copy, text, len);
    copy[len] = 0;
    if (!scan(c, copy + CLOCK_BOOTID + 1)) {
        memset(c, 0, sizeof *c);
        return 0;
    }
    /* How long the machine was off nobody knows but the clock that may have been set meanwhile. */
    if (memcmp(copy, id, CLOCK_BOOTID) || c->boot > boot)
        c->boot = boot;
    c->wall = (uint64_t)(c->count + c->offsets[c->now].by);
    c->base = c->wall - c->boot / 1000;
    return 1;
}
