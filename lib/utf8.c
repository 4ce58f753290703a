#include "lib/utf8.h"

/* Bytes of the character that begins with c and the bounds of its second byte; 0 if none begins so. */
static size_t
shape(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0)
            *low = 0xa0;
        if (c == 0xed)
            *high = 0x9f;
        return 3;
    }
    if (c < 0xf0 || c > 0xf4)
        return 0;
    if (c == 0xf0)
        *low = 0x90;
    if (c == 0xf4)
        *high = 0x8f;
    return 4;
}

int
utf8_valid(char const *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned char low, high;
        size_t n = shape((unsigned char)s[i], &low, &high);
        if (!n || n > len - i)
            return 0;
        for (size_t j = 1; j < n; j++) {
            unsigned char c = (unsigned char)s[i + j];
            if (c < low || c > high)
                return 0;
            low = 0x80;
            high = 0xbf;
        }
        i += n;
    }
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
