#include "lib/utf8.h"

size_t
utf8_next(char const *text, size_t len, uint32_t *c)
{
    static uint32_t const least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char const *s = (unsigned char const *)text;
    size_t n = *s < 0x80                 ? 1
               : *s >= 0xc2 && *s < 0xe0 ? 2
               : *s >= 0xe0 && *s < 0xf0 ? 3
               : *s >= 0xf0 && *s < 0xf5 ? 4
                                         : 0;

    if (!n || n > len)
        return 0;
    *c = n == 1 ? *s : *s & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (s[i] & 0x3f);
    }
    return *c < least[n] || (*c >= 0xd800 && *c < 0xe000) || *c > 0x10ffff ? 0 : n;
}

int
utf8_valid(char const *s, size_t len)
{
    uint32_t c;

    for (size_t n; len; s += n, len -= n)
        if (!(n = utf8_next(s, len, &c)))
            return 0;
    return 1;
}

int
utf8_has8bit(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] >= 0x80)
            return 1;
    return 0;
}

int
utf8_plain(uint32_t c)
{
    return c >= 0x20 && (c < 0x7f || c > 0x9f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

static int
put_byte(stralloc *to, unsigned char c)
{
    char text[4] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

    return stralloc_catb(to, text, sizeof text);
}

int
utf8_show(stralloc *to, char const *s, size_t len)
{
    while (len) {
        uint32_t c = 0;
        size_t n = utf8_next(s, len, &c);
        int good = n && (utf8_plain(c) || c == '\n' || c == '\t');
        if (!(good ? stralloc_catb(to, s, n) : put_byte(to, (unsigned char)*s)))
            return 0;
        s += good ? n : 1;
        len -= good ? n : 1;
    }
    return 1;
}
