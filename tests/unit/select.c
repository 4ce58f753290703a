/* Which messages an operator's filters mean; patterns, ages, JSON and UTF-8 that they are printed with. */

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/pattern.h"
#include "lib/utf8.h"
#include "queue/select.h"
#include "tests/tap.h"

static void
patterns(void)
{
    static struct {
        char const *pattern, *s;
        int want;
    } const rows[] = {
        {"", "", 1},
        {"", "a", 0},
        {"*", "", 1},
        {"*", "anything", 1},
        {"a", "A", 1},
        {"A@B", "a@b", 1},
        {"a", "ab", 0},
        {"?", "", 0},
        {"?", "x", 1},
        {"*@example.org", "joe@Example.ORG", 1},
        {"*@example.org", "joe@example.org.test", 0},
        {"*a*b*c*", "xxaxxbxxc", 1},
        {"*a*b*c", "xxaxxbxxcx", 0},
        {"*ab", "aab", 1},
        {"a**b", "ab", 1},
        {"[a]", "[a]", 1},
        {"[a]", "a", 0},
        {"*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(pattern_matches(rows[i].pattern, rows[i].s, strlen(rows[i].s)) == rows[i].want, "'%s' and '%s': %d",
           rows[i].pattern, rows[i].s, rows[i].want);
}

static void
ages(void)
{
    static struct {
        char const *text;
        uint64_t want; /* 0: none */
    } const rows[] = {
        {"90", 90}, {"90s", 90}, {"30m", 1800}, {"2h", 7200}, {"3d", 259200},    {"1w", 604800}, {"", 0},    {"h", 0},
        {"1y", 0},  {"1hh", 0},  {"1h ", 0},    {"-1h", 0},   {"4294967296", 0}, {"1.5h", 0},    {"1\n", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t n = 0;
        int got = select_age(rows[i].text, &n);
        ok(got == (rows[i].want != 0) && (!got || n == rows[i].want), "age '%s'", rows[i].text);
    }
}

static void
options(void)
{
    static struct {
        int o;
        char const *arg;
        int want;
    } const rows[] = {
        {'f', "<>", 1},          {'t', "*", 1},
        {'d', "example.org", 1}, {'i', "0660d03fe51eb523cbb714f0508d", 1},
        {'i', "t66*", 1},        {'i', "../../etc/passwd", -1},
        {'i', "0660", -1},       {'i', "", -1},
        {'a', "+1h", 1},         {'a', "-1h", 1},
        {'a', "soon", -1},       {'q', "hold", 1},
        {'q', "lock", -1},       {'x', "", 0},
    };
    struct select s = SELECT_ZERO;

    ok(select_all(&s), "no filter: all");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(select_option(&s, rows[i].o, rows[i].arg) == rows[i].want, "-%c %s: %d", rows[i].o, rows[i].arg,
           rows[i].want);
    ok(!select_all(&s) && s.older == 3600 && s.younger == 3600 && s.states == 1 << ITEM_HOLD && s.inexact,
       "they are remembered");
    ok(select_recipient(&s, (struct bytes){"a@EXAMPLE.org", 13}) && !select_recipient(&s, (struct bytes){"a@b", 3}) &&
           !select_recipient(&s, (struct bytes){"a", 1}),
       "recipients");
}

static void
json(void)
{
    static struct {
        char const *s, *want;
    } const rows[] = {
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\x1b", "\"\\u000a\\u001b\""},
        {"\x7f", "\"\\u007f\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
        {"\xc2\x9b", "\"\\u009b\""},
        {"\xe2\x80\xae", "\"\\u202e\""},
        {"\xf0\x9f\x93\xac", "\"\xf0\x9f\x93\xac\""},
        {"\xff", "\"\\\\xff\""},
        {"\xc3", "\"\\\\xc3\""},
        {"\xc0\x80", "\"\\\\xc0\\\\x80\""},
        {"\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\""},
        {"\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""},
    };
    stralloc out = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        out.len = 0;
        ok(json_string(&out, rows[i].s, strlen(rows[i].s)) && out.len == strlen(rows[i].want) &&
               !memcmp(out.s, rows[i].want, out.len),
           "JSON: row %d", (int)i);
    }
    out.len = 0;
    ok(stralloc_cats(&out, "{") && json_text(&out, "a", "b", 1) && json_uint(&out, "n", 7) && json_name(&out, "l") &&
           stralloc_cats(&out, "[") && json_comma(&out) && stralloc_cats(&out, "1]}") &&
           !memcmp(out.s, "{\"a\":\"b\",\"n\":7,\"l\":[1]}", out.len),
       "JSON: members");
    out.len = 0;
    ok(utf8_show(&out, "a\tb\n\x1b[1m\xc3\xa9\xff", 11) && stralloc_0(&out) &&
           !strcmp(out.s, "a\tb\n\\x1b[1m\xc3\xa9\\xff"),
       "text for a terminal");
    stralloc_free(&out);
}

int
main(void)
{
    patterns();
    ages();
    options();
    json();
    return tap_done();
}
