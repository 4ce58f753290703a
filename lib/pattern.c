#include "lib/pattern.h"

static int
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Only the last '*' is ever tried again: one further on can take up all that an earlier one could have. */
int
pattern_matches(char const *pattern, char const *s, size_t len)
{
    char const *star = 0;
    size_t at = 0, resume = 0;

    while (at < len) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = at;
        } else if (*pattern && (*pattern == '?' || lower(*pattern) == lower(s[at]))) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++resume;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
