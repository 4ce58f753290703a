#include "lib/netstring.h"

#include <errno.h>

#include <skalibs/types.h>

int
netstring_take(struct bytes *in, size_t max, struct bytes *item)
{
    size_t len = 0;
    size_t i = 0;

    for (; i < in->len && in->s[i] != ':'; i++) {
        if (i == NETSTRING_DIGITS || in->s[i] < '0' || in->s[i] > '9' || (i == 1 && in->s[0] == '0'))
            return (errno = EPROTO, -1);
        len = len * 10 + (size_t)(in->s[i] - '0');
        if (len > max)
            return (errno = EMSGSIZE, -1);
    }
    if (i == in->len)
        return 0;
    if (!i)
        return (errno = EPROTO, -1);
    i++;
    if (in->len - i <= len)
        return 0;
    if (in->s[i + len] != ',')
        return (errno = EPROTO, -1);
    item->s = in->s + i;
    item->len = len;
    in->s += i + len + 1;
    in->len -= i + len + 1;
    return 1;
}

int
netstring_put(stralloc *to, char const *s, size_t len)
{
    char digits[SIZE_FMT];
    size_t n = size_fmt(digits, len);

    if (!stralloc_readyplus(to, n + len + 2))
        return 0;
    digits[n++] = ':';
    return stralloc_catb(to, digits, n) && stralloc_catb(to, s, len) && stralloc_catb(to, ",", 1);
}

size_t
netstring_overhead(size_t len)
{
    char digits[SIZE_FMT];

    return size_fmt(digits, len) + 2;
}
