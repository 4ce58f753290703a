/* Lengths of time, lists of them, rates. */

#include "lib/span.h"
#include "tests/tap.h"

static void
single(void)
{
    static struct {
        char const *text;
        size_t len;
        uint32_t seconds;
    } const table[] = {
        {"0", 1, 0},         {"90", 2, 90},           {"90s", 3, 90},  {"15m", 3, 900},
        {"4h 1d", 2, 14400}, {"2d\t", 2, 172800},     {"", 0, 0},      {"m", 0, 0},
        {"-1", 0, 0},        {"1.5h", 0, 0},          {"1hour", 0, 0}, {"99999999999", 0, 0},
        {"4000d", 0, 0},     {"3650d", 5, 315360000}, {"1 h", 1, 1},   {"+3", 0, 0},
        {"5w", 0, 0},        {"315360001", 0, 0},
    };

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t seconds = 0;
        size_t n = span_scan(table[i].text, &seconds);
        ok(n == table[i].len && (!n || seconds == table[i].seconds), "span \"%s\"", table[i].text);
    }
}

static void
lists(void)
{
    uint32_t all[3];

    ok(span_list("15m 30m\0 1h\t4h\0", 16, all, 3) == 3 && all[0] == 900 && all[2] == 3600,
       "a list, as far as there is room");
    ok(span_list("", 0, all, 3) == 0, "none");
    ok(span_list("15m 30x\0", 8, all, 3) == -1, "one is malformed");
}

static void
rates(void)
{
    static struct {
        char const *text;
        uint32_t number, seconds;
    } const table[] = {{"10/60", 10, 60}, {"10/1m", 10, 60}, {"1/1", 1, 1}, {"0/1", 0, 0},   {"1/0", 0, 0},
                       {"10", 0, 0},      {"/5", 0, 0},      {"5/", 0, 0},  {"5/1m ", 0, 0}, {"5/1m x", 0, 0}};

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t number = 0, seconds = 0;
        int good = span_rate(table[i].text, &number, &seconds);
        ok(good ? number == table[i].number && seconds == table[i].seconds : !table[i].number, "rate \"%s\"",
           table[i].text);
    }
}

int
main(void)
{
    single();
    lists();
    rates();
    return tap_done();
}
