/* queue/envelope: what is an envelope and what is not. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/envelope.h"
#include "tests/tap.h"

static stralloc text = STRALLOC_ZERO;

/* Makes an envelope of "name=value" words, each a record. */
static struct bytes
envelope(char const *words)
{
    text.len = 0;
    while (*words) {
        size_t n = strcspn(words, " ");
        netstring_put(&text, words, n);
        words += n + (words[n] == ' ');
    }
    return (struct bytes){text.s, text.len};
}

static void
checks(void)
{
    static struct {
        char const *words;
        int good;
        uint32_t recipients;
    } const cases[] = {
        {"from=a@b to=c@d", 1, 1},
        {"from= to=c@d", 1, 1},
        {"from=a to=b to=c to=d", 1, 3},
        {"from=a", 1, 0},
        {"body=8BITMIME from=a to=b notify=NEVER orcpt=rfc822;b to=c", 1, 2},
        {"from=a future=anything to=b another=one", 1, 1},
        {"time=1 uid=0 from=a to=b", 1, 1},
        {"to=b", 0, 0},
        {"", 0, 0},
        {"from=a from=b to=c", 0, 0},
        {"from=a to=b from=c", 0, 0},
        {"from=a notify=NEVER to=b", 0, 0},
        {"from=a orcpt=x to=b", 0, 0},
        {"from=a tob", 0, 0},
        {"from=a =b", 0, 0},
        {"from=a To=b", 0, 0},
        {"from=a t-o=b", 0, 0},
        {"from=a to=x\ny", 0, 0},
        {"from=a to=x\ry", 0, 0},
        {"from=a to=x\033y", 0, 0},
        {"from=a\x7f to=b", 0, 0},
        {"from=a other=x\ny to=b", 0, 0},
        {"from=a abcdefghijklmnopqrstuvwxyz0123456=x to=b", 0, 0},
        {"from=a abcdefghijklmnopqrstuvwxyz012345=x to=b", 1, 1},
        {"from=a azby0189=x to=b", 1, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t n;
        int good = envelope_check(envelope(cases[i].words), &n);
        ok(good == cases[i].good && (!good || n == cases[i].recipients), "case %zu", i);
    }
}

static void
lengths(void)
{
    char *big = malloc(ENVELOPE_VALUE_MAX + 2);
    uint32_t n;

    memset(big, 'a', ENVELOPE_VALUE_MAX + 2);
    for (size_t len = ENVELOPE_ADDRESS_MAX; len <= ENVELOPE_ADDRESS_MAX + 1; len++) {
        text.len = 0;
        envelope_put(&text, "from", "", 0);
        envelope_put(&text, "to", big, len);
        ok(envelope_check((struct bytes){text.s, text.len}, &n) == (len == ENVELOPE_ADDRESS_MAX), "an address of %zu",
           len);
    }
    for (size_t len = ENVELOPE_VALUE_MAX; len <= ENVELOPE_VALUE_MAX + 1; len++) {
        text.len = 0;
        envelope_put(&text, "from", "", 0);
        envelope_put(&text, "other", big, len);
        envelope_put(&text, "to", "x", 1);
        ok(envelope_check((struct bytes){text.s, text.len}, &n) == (len == ENVELOPE_VALUE_MAX), "a value of %zu", len);
    }
    free(big);
}

/* As many recipients as there may be, and one more. */
static void
many(void)
{
    uint32_t n;

    text.len = 0;
    envelope_put(&text, "from", "", 0);
    for (uint32_t i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++)
        envelope_put(&text, "to", "x", 1);
    ok(envelope_check((struct bytes){text.s, text.len}, &n) && n == ENVELOPE_RECIPIENTS_MAX, "a million recipients");
    envelope_put(&text, "to", "x", 1);
    ok(!envelope_check((struct bytes){text.s, text.len}, &n), "and one more");
}

static void
numbers(void)
{
    static char const digits[] =
        "111111111122222222223333333333444444444455555555556666666666777777777788888888889999999999";
    static struct {
        struct bytes value;
        int good;
    } const cases[] = {
        {{"7", 1}, 1},
        {{"18446744073709551615", 20}, 1},
        {{"18446744073709551616", 20}, 0},
        {{"000000000000000000001", 21}, 0}, /* more digits than any number has */
        {{digits, sizeof digits - 1}, 0},
        {{"", 0}, 0},
        {{"1x", 2}, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record r = {.value = cases[i].value};
        uint64_t number;
        errno = 0;
        int good = record_uint(&r, &number);
        ok(good == cases[i].good && (good || errno == EPROTO), "the number \"%.*s\"", (int)r.value.len, r.value.s);
    }
}

/* One recipient after the other, and what each wants to hear. */
static void
recipients(void)
{
    struct bytes cursor = envelope("from=a ret=FULL to=b notify=SUCCESS,DELAY to=c to=d orcpt=x notify=NEVER");
    struct record r;
    char all[16] = "";
    unsigned int n = 0;

    for (; envelope_recipient(&cursor, &r) == 1; n++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s%d%d%d ", (int)r.value.len, r.value.s,
                 envelope_notify(cursor, "DELAY", 1), envelope_notify(cursor, "FAILURE", 1),
                 envelope_notify(cursor, "SUCCESS", 0));
    ok(n == 3 && !strcmp(all, "b101 c110 d000 "), "recipients, and what they want: %s", all);
    ok(!cursor.len && envelope_recipient(&cursor, &r) == 0, "then there is none");
    ok(envelope_notify(cursor, "DELAY", 0) == 0 && envelope_notify(cursor, "DELAY", 7) == 7,
       "who says nothing: as it is asked");
    cursor = (struct bytes){"6:from=x,7:to=y", 15};
    ok(envelope_recipient(&cursor, &r) == 0, "nor in one that ends early");
}

int
main(void)
{
    struct bytes value, cursor;
    struct record r;
    uint64_t number;

    checks();
    lengths();
    many();
    numbers();
    recipients();
    ok(envelope_address("a\n", 1), "what is behind an address is not looked at");
    ok(envelope_address("a b", 3), "a blank may be in one");

    text.len = 0;
    envelope_put(&text, "from", "x", 1);
    envelope_putuint(&text, "time", 1234567890123);
    envelope_put(&text, "to", "y", 1);
    envelope_put(&text, "late", "z", 1);
    cursor = (struct bytes){text.s, text.len};
    ok(envelope_find(cursor, "time", &value) == 1 && value.len == 13, "a record is found");
    ok(envelope_find(cursor, "late", &value) == 0, "one behind a recipient is not the message's");
    ok(envelope_find(cursor, "none", &value) == 0, "one that is not there");
    envelope_next(&cursor, &r);
    envelope_next(&cursor, &r);
    ok(record_uint(&r, &number) && number == 1234567890123, "a number");
    cursor = (struct bytes){"6:from=x,7:to=y", 15};
    envelope_next(&cursor, &r);
    ok(envelope_next(&cursor, &r) == -1 && errno == EPROTO, "an envelope that ends early");
    return tap_done();
}
