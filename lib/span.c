#include "lib/span.h"

#include <errno.h>
#include <string.h>

#include <skalibs/types.h>

static uint32_t
unit(char c)
{
    switch (c) {
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 1;
    }
}

size_t
span_scan(char const *s, uint32_t *seconds)
{
    uint32_t number;
    size_t n = *s >= '0' && *s <= '9' ? uint32_scan(s, &number) : 0;
    uint32_t one = unit(s[n]);

    if (!n || number > SPAN_MOST / one)
        return (errno = EPROTO, 0);
    n += s[n] == 's' || one != 1;
    if (s[n] && s[n] != ' ' && s[n] != '\t')
        return (errno = EPROTO, 0);
    *seconds = number * one;
    return n;
}

int
span_list(char const *items, size_t len, uint32_t *seconds, unsigned int max)
{
    unsigned int count = 0;
    uint32_t one;

    for (size_t at = 0; at < len;) {
        size_t n;
        if (!items[at] || items[at] == ' ' || items[at] == '\t') {
            at++;
            continue;
        }
        n = span_scan(items + at, &one);
        if (!n)
            return -1;
        at += n;
        if (count < max)
            seconds[count++] = one;
    }
    return (int)count;
}

int
span_rate(char const *s, uint32_t *number, uint32_t *seconds)
{
    size_t n = *s >= '0' && *s <= '9' ? uint32_scan(s, number) : 0;
    size_t m = n && s[n] == '/' ? span_scan(s + n + 1, seconds) : 0;

    return m && !s[n + 1 + m] && *number && *seconds ? 1 : (errno = EPROTO, 0);
}
