/* When the next attempt comes, and what a clock that jumps does to it. */

#include "queue/ranges.h"
#include "send/schedule.h"
#include "tests/tap.h"

#include <string.h>

#define ID "0123456789abcdef0123456789ab"
#define DAY 86400u
#define START UINT64_C(1795000000)

static void
intervals(void)
{
    static struct {
        uint64_t age;
        uint32_t first, most;
        uint64_t wait;
    } const table[] = {
        {0, 400, 14400, 400},
        {400, 400, 14400, 1200},
        {1600, 400, 14400, 2000},
        {3600, 400, 14400, 2800},
        {100 * DAY, 400, 14400, 14400},
        {0, 0, 14400, 1},
        {50, 1, 14400, 15},
        {UINT64_MAX, 86400, 604800, 604800},
    };
    uint64_t at = 0;
    unsigned int n = 0;
    struct schedule s = {.first = 400, .most = 1000000};

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        struct schedule one = {.first = table[i].first, .most = table[i].most};
        ok(schedule_wait(&one, table[i].age, ID) == table[i].wait, "age %llu: wait %llu",
           (unsigned long long)table[i].age, (unsigned long long)table[i].wait);
    }
    for (; at < 400 * 100; n++)
        at += schedule_wait(&s, at, ID);
    ok(at == 400 * 100 && n == 10, "the tenth attempt comes 10 * 10 * 400 seconds after arrival");
}

static void
lists(void)
{
    static struct {
        uint64_t age, wait;
    } const table[] = {
        {0, 900},
        {897, 450},
        {898, 1802},
        {899, 1801},
        {2699, 3601},
        {20699, 14401},
        {600, 450},
        {400, 500},
        {900, 1800},
        {905, 1795},
        {2700, 3600},
        {6300, 14400},
        {20700, 14400},
        {20701, 14399},
        {20700 + 14400, 14400},
        {1000000, 14400 - (1000000 - 6300) % 14400},
    };
    struct schedule s = {.count = 4, .waits = {900, 1800, 3600, 14400}};
    struct schedule none = {.count = 1, .waits = {0}};

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t wait = schedule_wait(&s, table[i].age, ID);
        ok(wait == (table[i].wait < 7200 && table[i].age > 100000 ? 7200 : table[i].wait),
           "a list, age %llu: wait %llu", (unsigned long long)table[i].age, (unsigned long long)wait);
    }
    ok(schedule_wait(&none, 5, ID) == 1 && schedule_wait(&s, UINT64_MAX, ID) >= 7200, "odd lists, odd ages");
}

/* Each message has its share of the jitter, the same each time; together they have all of it. */
static void
jitter(void)
{
    struct schedule s = {.count = 3, .waits = {1000, 2000, 4000}, .jitter = 20};
    struct schedule law = {.first = 1000, .most = 5000, .jitter = 20};
    uint64_t least = UINT64_MAX, most = 0, at = 0;
    unsigned int planned = 1;
    char id[] = "0123456789abcdef0123456789ab";

    for (unsigned int i = 0; i < 1000; i++) {
        uint64_t wait;
        id[10] = "0123456789abcdef"[i & 15];
        id[11] = "0123456789abcdef"[i >> 4 & 15];
        id[12] = "0123456789abcdef"[i >> 8];
        wait = schedule_wait(&s, 0, id);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
        planned &= wait == schedule_wait(&s, 0, id) && wait == schedule_wait(&law, 0, id);
    }
    ok(least == 1000 && most == 1200, "twenty percent at most (%llu to %llu)", (unsigned long long)least,
       (unsigned long long)most);
    ok(planned, "always the same for one message");
    planned = 1;
    for (unsigned int i = 0; i < 20; i++) { /* 1000 3000 7000 11000 ... */
        uint64_t plan = i == 0 ? 1000 : i == 1 ? 3000 : 3000 + (i - 1) * 4000;
        at += schedule_wait(&s, at, id);
        planned &= at >= plan && at <= plan + 800;
    }
    ok(planned, "which does not add up");
}

static void
jumps(void)
{
    struct clock c = {0};

    ok(!clock_set(&c, 5000, START), "the first reading is no jump");
    ok(clock_age(&c, START - 100) == 100 && clock_age(&c, START + 5) == 0, "ages");
    ok(!clock_set(&c, 15000, START + 12) && clock_age(&c, START) == 12, "a small correction is followed");
    ok(clock_set(&c, 20000, START + 10 * 365 * DAY), "ten years ahead is a jump");
    ok(!clock_set(&c, 21000, START + 10 * 365 * DAY + 1), "told once");
    ok(clock_age(&c, START) == 18, "nothing grows old by it");
    ok(schedule_key(&c, c.wall + 300) == 321, "a new wait is counted from the new time");
    ok(!clock_set(&c, 21000 + 2 * DAY * 1000, START + (10 * 365 + 2) * DAY + 1), "nor after days");
    ok(clock_age(&c, START) == 18 + 2 * DAY, "and is never believed of what came before");
    ok(clock_set(&c, 22000 + 2 * DAY * 1000, 1000), "back to 1970 is a jump");
    ok(clock_age(&c, START) == 19 + 2 * DAY, "what came under the first clock goes on growing older");
    ok(clock_age(&c, START + 100 * 365 * DAY) == 0, "a message from every clock's future has no age");
    ok(schedule_key(&c, START) == 22 + 2 * DAY + SCHEDULE_FURTHEST, "and waits a day, not for 50 years");
    ok(schedule_key(&c, 0) == 22 + 2 * DAY, "what is past is due");
}

static void
folding(void)
{
    static struct {
        char const *numbers, *text;
    } const table[] = {{"", ""}, {"a", "0"}, {"abcd", "0-3"}, {"abcdh", "0-3,7"}, {"bdf", "1,3,5"}, {"yz", "24-25"}};

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        struct ranges r = RANGES_ZERO;
        stralloc text = STRALLOC_ZERO;
        for (char const *s = table[i].numbers; *s; s++)
            ranges_add(&r, &text, (uint32_t)(*s - 'a'));
        ranges_end(&r, &text);
        ok(text.len == strlen(table[i].text) && !memcmp(text.len ? text.s : "", table[i].text, text.len),
           "ranges \"%s\"", table[i].text);
        stralloc_free(&text);
    }
}

int
main(void)
{
    intervals();
    lists();
    jitter();
    jumps();
    folding();
    return tap_done();
}
