#include "control/replies.h"

#include <errno.h>
#include <string.h>

#include "lib/pattern.h"
#include "lib/span.h"

static char const *const words[] = {
    [REPLY_AS_IS] = "-",     [REPLY_RETRY] = "retry",   [REPLY_SLOW] = "slow",
    [REPLY_PAUSE] = "pause", [REPLY_RETURN] = "return",
};

char const *
replies_word(enum reply_action action)
{
    return words[action];
}

/* The time between the word and the colon. */
static int
scan_time(char const *s, char const *colon, uint32_t *seconds)
{
    char text[32];
    size_t len;

    s += strspn(s, " \t");
    while (colon > s && (colon[-1] == ' ' || colon[-1] == '\t'))
        colon--;
    len = (size_t)(colon - s);
    if (len >= sizeof text)
        return 0;
    memcpy(text, s, len);
    text[len] = 0;
    return span_scan(text, seconds) == len && len && *seconds;
}

int
replies_scan(char const *line, struct reply_rule *rule)
{
    char const *colon = strchr(line, ':');
    size_t len = strcspn(line, " \t:");

    for (enum reply_action i = REPLY_RETRY; colon && colon[1] && i <= REPLY_RETURN; i++) {
        char const *rest = line + len;
        if (strlen(words[i]) != len || memcmp(words[i], line, len) != 0)
            continue;
        *rule = (struct reply_rule){.action = i, .pattern = colon + 1 + strspn(colon + 1, " \t")};
        if (i == REPLY_RETRY || i == REPLY_PAUSE ? scan_time(rest, colon, &rule->seconds)
                                                 : rest + strspn(rest, " \t") == colon)
            return 1;
    }
    return (errno = EPROTO, 0);
}

struct reply_rule
replies_find(stralloc const *items, char const *text, size_t len)
{
    struct reply_rule rule;

    for (size_t at = 0; at < items->len; at += strlen(items->s + at) + 1)
        if (replies_scan(items->s + at, &rule) && pattern_matches(rule.pattern, text, len))
            return rule;
    return (struct reply_rule){.action = REPLY_AS_IS};
}
