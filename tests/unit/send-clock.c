/* Months of a queue under a clock that somebody sets: by a day, by ten years, over 2038, for half a day or for good.
 * No mail that was accepted under the right time is given up early, and none is tried oftener than its plan says. */

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
    int truly; /* its arrival is that of the right clock */
    int gone;
} mails[MAILS];

static struct result {
    unsigned int expired, early, soonest, hasty;
    unsigned long attempts;
} result;

struct jump {
    int64_t begin, by, from, to; /* the clock at the start, what is added to it from day `from` to `to` */
    int restart;                 /* pneu-send is started again after each change */
};

static int64_t
added(struct jump const *j, int64_t t)
{
    return t >= j->from && t < j->to ? j->by : 0;
}

static void
try(struct clock const *c, struct table *table, uint32_t entry, int64_t t, struct jump const *j)
{
    struct mail *m = mails + entry;
    char id[ID_SIZE];

    table_id(table, entry, id);
    result.attempts++;
    result.hasty += m->tried >= 0 && t - m->tried < FIRST - 2;
    m->tried = t;
    if (clock_age(c, m->arrival) >= LIFETIME) {
        int early = t - m->came < LIFETIME - 2 && m->truly;
        m->gone = 1;
        result.expired++;
        result.early += early;
        if (early && t - j->from < (int64_t)result.soonest)
            result.soonest = (unsigned int)(t - j->from);
        table_take(table, entry);
        return;
    }
    m->again_at = c->wall + schedule_wait(&plan, clock_age(c, m->arrival), id);
    table_put(table, entry, TABLE_WAIT, schedule_key(c, m->again_at));
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
    result.soonest = UINT32_MAX;
    for (int64_t t = 0; t < 40 * DAY; t += 60) {
        uint32_t entry;
        if (j->restart && (t == j->from || t == j->to)) { /* the times of the files are all it knows */
            memset(&c, 0, sizeof c);
            clock_set(&c, (uint64_t)(BOOT + t) * 1000, (uint64_t)(j->begin + t + added(j, t)));
            for (uint32_t i = 0; i < n; i++) {
                mails[i].tried = -1;
                if (!mails[i].gone)
                    table_put(&table, i, TABLE_WAIT, schedule_key(&c, mails[i].again_at));
            }
        }
        clock_set(&c, (uint64_t)(BOOT + t) * 1000, (uint64_t)(j->begin + t + added(j, t)));
        if (n < MAILS && t % 1200 == 0) {
            for (unsigned int i = 0; i < 4; i++)
                id[22 + i] = "0123456789abcdef"[n >> (12 - 4 * i) & 15];
            if (table_add(&table, id) != n)
                exit(111);
            mails[n] = (struct mail){.came = t, .tried = -1, .arrival = c.wall, .truly = !added(j, t)};
            try(&c, &table, n++, t, j);
        }
        while ((entry = table_first(&table, TABLE_WAIT)) != TABLE_NONE && table.entries[entry].key <= c.boot / 1000)
            try(&c, &table, entry, t, j);
    }
    table_free(&table);
}

int
main(void)
{
    static int64_t const begins[] = {NOW, Y2038}, bys[] = {DAY, -DAY, YEARS, -YEARS};
    struct jump none = {NOW, 0, 5 * DAY, 6 * DAY, 0};
    unsigned long usual;

    run(&none);
    usual = result.attempts;
    ok(result.expired == MAILS && !result.early && !result.hasty,
       "a right clock: all are given up in time, after %lu attempts", usual);
    none.begin = Y2038;
    run(&none);
    ok(result.expired == MAILS && !result.early && result.attempts == usual, "over 2038 the same");
    for (unsigned int i = 0; i < 2; i++)
        for (unsigned int k = 0; k < 4; k++) {
            struct jump half = {begins[i], bys[k], 5 * DAY, 5 * DAY + DAY / 2, 0};
            struct jump good = {begins[i], bys[k], 5 * DAY, 99 * DAY, 0};
            run(&half);
            ok(!result.early && !result.hasty, "by %lld days for half a day: %u early, %u hasty",
               (long long)bys[k] / DAY, result.early, result.hasty);
            run(&good);
            ok(!result.hasty && (bys[k] > 0 ? result.soonest >= DAY : !result.early),
               "by %lld days for good: %u hasty, %u early, none within a day", (long long)bys[k] / DAY, result.hasty,
               result.early);
            half.restart = 1;
            run(&half);
            /* Ten years ahead at a start, which nothing contradicts: what then waits is too old, and is given up. */
            ok(!result.hasty && (bys[k] == YEARS || !result.early),
               "and with pneu-send started anew: %u hasty, %u early", result.hasty, result.early);
        }
    return tap_done();
}
