#include "remote/body.h"

#include <string.h>

/* The bytes of a line, or a part of them, without its LF. */
static size_t
put_part(struct body *b, char const *s, size_t len, char *to)
{
    char *begin = to;

    if (!len)
        return 0;
    if (b->cr) {
        *to++ = ' ';
        b->within = 1;
    }
    b->cr = s[len - 1] == '\r';
    len -= (size_t)b->cr;
    if (len && !b->within && *s == '.')
        *to++ = '.';
    memcpy(to, s, len);
    for (char *cr = memchr(to, '\r', len); cr; cr = memchr(cr, '\r', len - (size_t)(cr - to)))
        *cr = ' ';
    b->within |= len != 0;
    return (size_t)(to - begin) + len;
}

size_t
body_encode(struct body *b, char const *s, size_t len, char *to)
{
    char *begin = to;

    while (len) {
        char const *lf = memchr(s, '\n', len);
        size_t n = lf ? (size_t)(lf - s) : len;
        to += put_part(b, s, n, to);
        s += n;
        len -= n;
        if (!lf)
            break;
        *to++ = '\r';
        *to++ = '\n';
        b->within = b->cr = 0;
        s++;
        len--;
    }
    return (size_t)(to - begin);
}

size_t
body_end(struct body *b, char to[static BODY_END])
{
    static char const end[] = "\r\n.\r\n";
    size_t skip = b->within || b->cr ? 0 : 2;

    memcpy(to, end + skip, BODY_END - skip);
    b->within = b->cr = 0;
    return BODY_END - skip;
}
