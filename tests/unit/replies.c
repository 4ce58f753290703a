/* control/replies.c: rules for what remote hosts answer, and what is none. */

#include "tests/tap.h"

#include <string.h>

#include "control/replies.h"

static void
test_lines(void)
{
    static struct {
        char const *line;
        enum reply_action action;
        uint32_t seconds;
        char const *pattern;
    } const good[] = {
        {"retry 4h:*greylisted*", REPLY_RETRY, 14400, "*greylisted*"},
        {"retry 90:4*", REPLY_RETRY, 90, "4*"},
        {"retry\t5m : 4* ", REPLY_RETRY, 300, "4* "},
        {"slow:*too many: *", REPLY_SLOW, 0, "*too many: *"},
        {"slow : 421*", REPLY_SLOW, 0, "421*"},
        {"pause 2d:421 4.7.0 ?TSS04?*", REPLY_PAUSE, 172800, "421 4.7.0 ?TSS04?*"},
        {"return:552*", REPLY_RETURN, 0, "552*"},
    };
    static char const *const bad[] = {"",
                                      ":",
                                      "slow",
                                      "slow:",
                                      "retry:4*",
                                      "retry 0:4*",
                                      "retry 5x:4*",
                                      "retry 5m 6m:4*",
                                      "return 5m:4*",
                                      "slow down:4*",
                                      "pause:4*",
                                      "hold:4*",
                                      "Slow:4*",
                                      " slow:4*",
                                      "retry -5:4*",
                                      "retries 5:4*"};
    struct reply_rule rule;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ok(replies_scan(good[i].line, &rule) && rule.action == good[i].action && rule.seconds == good[i].seconds &&
               !strcmp(rule.pattern, good[i].pattern),
           "%s", good[i].line);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(!replies_scan(bad[i], &rule), "none: %s", bad[i]);
}

static void
test_find(void)
{
    static char lines[] =
        "return:550 5.7.1 *blocked for ever*\0nonsense\0pause 1h:5?? *blocked*\0retry 5m:*GREYlist*\0";
    static struct {
        char const *text;
        enum reply_action action;
    } const cases[] = {
        {"550 5.7.1 You are blocked for ever, really", REPLY_RETURN},
        {"554 you are blocked", REPLY_PAUSE},
        {"blocked", REPLY_AS_IS},
        {"451 4.7.1 Greylisted, come again", REPLY_RETRY},
        {"", REPLY_AS_IS},
        {"250 fine", REPLY_AS_IS},
    };
    stralloc items = {.s = lines, .len = sizeof lines - 1}, none = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(replies_find(&items, cases[i].text, strlen(cases[i].text)).action == cases[i].action, "%s: %s",
           cases[i].text, replies_word(cases[i].action));
    ok(replies_find(&none, "x", 1).action == REPLY_AS_IS, "no rules");
}

int
main(void)
{
    test_lines();
    test_find();
    return tap_done();
}
