/* Months of a queue under a clock that somebody sets: by a day, by ten years, over 2038, for half a day or for good.
 * pneu-send runs on, or is started anew, or the machine is. No mail is given up early, whatever the clock said when it was accepted, all
 * is in the end, and none is tried oftener than its plan says. */

#include <stdlib.h>
#include <string.h>

#include "queue/id.h"
#include "send/schedule.h"
#include "send/table.h"
#include "tests/tap.h"

#define DAY 86400
#define YEARS (INT64_C(3653) * DAY) /* ten of them */
#define MAILS 1000
#define FIRST 400
#define LIFETIME (7 * DAY)
#define BOOT 5000
#define NOW INT64_C(1795000000)
#define Y2038 (INT64_C(2147483648) - 5 * DAY - 100) /* the fifth day goes over 2^31 seconds */

static struct schedule const plan = {.first = FIRST, .most = 14400};

static struct mail {
    int64_t came, tried; /* seconds since the beginning, as they really were; tried: -1 never */
    uint64_t arrival, again_at;
    int gone;
} mails[MAILS];

static struct result {
    unsigned int expired, early, hasty;
    int64_t latest; /* seconds after its time */
    unsigned long attempts;
} result;

enum start { RUNS_ON, ANEW, REBOOT };

struct jump {
    int64_t begin, by, from, to; /* the clock at the start, what is added to it from day `from` to `to` */
    enum start start;            /* what is started again at each change */
};

static int64_t
added(struct jump const *j, int64_t t)
{
    return t >= j->from && t < j->to ? j->by : 0;
}

/* What CLOCK_BOOTTIME says, in milliseconds. */
static uint64_t
boottime(struct jump const *j, int64_t t)
{
    int64_t on = j->start != REBOOT || t < j->from ? t : t < j->to ? t - j->from : t - j->to;

    return (uint64_t)(BOOT + on) * 1000;
}

static void
try(struct clock const *c, struct table *table, uint32_t entry, int64_t t)
{
    struct mail *m = mails + entry;
    char id[ID_SIZE];

    table_id(table, entry, id);
    result.attempts++;
    result.hasty += m->tried >= 0 && t - m->tried < FIRST - 2;
    m->tried = t;
    if (clock_age(c, m->arrival) >= LIFETIME) {
        int64_t late = t - m->came - LIFETIME;
        m->gone = 1;
        result.expired++;
        result.early += late < -2;
        if (late > result.latest)
            result.latest = late;
        table_take(table, entry);
        return;
    }
    m->again_at = c->wall + schedule_wait(&plan, clock_age(c, m->arrival), id);
    table_put(table, entry, TABLE_WAIT, schedule_key(c, m->again_at));
}

/* The clock's file and the times of the messages' are all that the next one knows. */
static void
begin_anew(struct clock *c, struct table *table, unsigned int n, int64_t t, struct jump const *j)
{
    static char const before[] = "0b7e3f31-4c1d-4f5e-9d3a-0f6b1f1f5a01",
                      after[] = "5e0a7a6e-93c8-4b0e-8f52-1f1f5a010b7e";
    char text[CLOCK_TEXT];
    size_t len = clock_fmt(c, text, before);

    if (!clock_scan(c, text, len, j->start == REBOOT ? after : before, boottime(j, t)))
        exit(111);
    clock_set(c, boottime(j, t), (uint64_t)(j->begin + t + added(j, t)));
    for (uint32_t i = 0; i < n; i++) {
        mails[i].tried = -1;
        if (!mails[i].gone)
            table_put(table, i, TABLE_WAIT, schedule_key(c, mails[i].again_at));
    }
}

static void
run(struct jump const *j)
{
    struct table table = TABLE_ZERO;
    struct clock c = {0};
    unsigned int n = 0;
    char id[ID_SIZE] = "0660d04f07c5323c9455000000af";

    memset(&result, 0, sizeof result);
    memset(mails, 0, sizeof mails);
    for (int64_t t = 0; t < 40 * DAY; t += 60) {
        uint32_t entry;
        if (j->start != RUNS_ON && (t == j->from || t == j->to))
            begin_anew(&c, &table, n, t, j);
        clock_set(&c, boottime(j, t), (uint64_t)(j->begin + t + added(j, t)));
        if (n < MAILS && t % 1200 == 0) {
            for (unsigned int i = 0; i < 4; i++)
                id[22 + i] = "0123456789abcdef"[n >> (12 - 4 * i) & 15];
            if (table_add(&table, id) != n)
                exit(111);
            mails[n] = (struct mail){.came = t, .tried = -1, .arrival = c.wall};
            try(&c, &table, n++, t);
        }
        while ((entry = table_first(&table, TABLE_WAIT)) != TABLE_NONE && table.entries[entry].key <= c.boot / 1000)
            try(&c, &table, entry, t);
    }
    table_free(&table);
}

static void
check(struct jump const *j, char const *how)
{
    static char const *const starts[] = {"runs on", "is started anew", "is started anew with the machine"};

    run(j);
    ok(result.expired == MAILS && !result.early && !result.hasty && result.latest <= DAY + 2 * 14400,
       "by %lld days %s, pneu-send %s: %u early, %u hasty, %u given up, %lld seconds late at most",
       (long long)j->by / DAY, how, starts[j->start], result.early, result.hasty, result.expired,
       (long long)result.latest);
}

/* A clock that two fight over has two offsets, however often it changes; a damaged file is none. */
static void
offsets(void)
{
    static char const id[] = "0b7e3f31-4c1d-4f5e-9d3a-0f6b1f1f5a01";
    struct clock c = {0}, again;
    char text[CLOCK_TEXT];
    unsigned int jumps = 0, taken = 0;
    size_t len;

    for (unsigned int i = 0; i < 100; i++)
        jumps += (unsigned int)clock_set(&c, (BOOT + i * 60) * 1000, (uint64_t)(NOW + i * 60 + (i & 1) * DAY));
    ok(jumps == 99 && c.noffsets == 2 && clock_age(&c, NOW) == 99 * 60, "a clock that is fought over: %u offsets",
       c.noffsets);
    for (unsigned int i = 0; i < 100; i++)
        (void)clock_set(&c, (BOOT + i * 60) * 1000, (uint64_t)(NOW + i * DAY));
    ok(c.noffsets == CLOCK_OFFSETS, "of many some are forgotten");
    memset(&again, 0, sizeof again);
    (void)clock_set(&again, 1000, NOW); /* for three hours nobody looks, and in the third it is set */
    (void)clock_set(&again, 10801000, NOW - YEARS + 10800);
    ok(clock_age(&again, NOW + 7200) == 3600 && clock_age(&again, NOW - YEARS + 3600) == 7200,
       "what came when nobody looked may have come under either clock");
    (void)clock_set(&again, 10901000, NOW - YEARS + 10900);
    ok(clock_age(&again, NOW + 7200) == 3700, "and grows older");
    len = clock_fmt(&c, text, id);
    ok(clock_scan(&again, text, len, id, c.boot) && !memcmp(again.offsets, c.offsets, sizeof c.offsets) &&
           again.base == c.base && again.count == c.count,
       "the text holds all of it, in %zu bytes", len);
    for (size_t i = 0; i < len; i++) {
        taken += (unsigned int)clock_scan(&again, text, i, id, c.boot);
        text[i] ^= 1;
        taken += (unsigned int)clock_scan(&again, text, len, id, c.boot);
        text[i] ^= 1;
    }
    ok(!taken && !again.noffsets, "cut or changed it is refused");
}

int
main(void)
{
    static int64_t const begins[] = {NOW, Y2038}, bys[] = {DAY, -DAY, YEARS, -YEARS};
    struct jump none = {NOW, 0, 5 * DAY, 6 * DAY, RUNS_ON};
    unsigned long usual;

    run(&none);
    usual = result.attempts;
    ok(result.expired == MAILS && !result.early && !result.hasty && result.latest <= 14400,
       "a right clock: all are given up in time, after %lu attempts", usual);
    none.begin = Y2038;
    run(&none);
    ok(result.expired == MAILS && !result.early && result.attempts == usual, "over 2038 the same");
    for (unsigned int i = 0; i < 2; i++)
        for (unsigned int k = 0; k < 4; k++)
            for (unsigned int start = RUNS_ON; start <= REBOOT; start++) {
                struct jump half = {begins[i], bys[k], 5 * DAY, 5 * DAY + DAY / 2, start};
                struct jump days = {begins[i], bys[k], 5 * DAY, 8 * DAY, start};
                struct jump good = {begins[i], bys[k], 5 * DAY, 99 * DAY, start};
                check(&half, "for half a day");
                check(&days, "for three days");
                check(&good, "for good");
            }
    offsets();
    return tap_done();
}
