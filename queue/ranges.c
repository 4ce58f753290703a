#include "queue/ranges.h"

#include <skalibs/types.h>

int
ranges_end(struct ranges *r, stralloc *to)
{
    char text[2 * UINT32_FMT + 2];
    size_t len = 0;

    if (!r->open)
        return 1;
    if (to->len)
        text[len++] = ',';
    len += uint32_fmt(text + len, r->first);
    if (r->last > r->first) {
        text[len++] = '-';
        len += uint32_fmt(text + len, r->last);
    }
    r->open = 0;
    return stralloc_catb(to, text, len);
}

int
ranges_add(struct ranges *r, stralloc *to, uint32_t n)
{
    if (r->open && n == r->last + 1) {
        r->last = n;
        return 1;
    }
    if (!ranges_end(r, to))
        return 0;
    r->first = r->last = n;
    r->open = 1;
    return 1;
}
