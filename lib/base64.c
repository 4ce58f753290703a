#include "lib/base64.h"

#include <errno.h>
#include <stdint.h>

size_t
base64_encode(char *out, char const *s, size_t len)
{
    static char const alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = out;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t three = (uint32_t)(unsigned char)s[i] << 16;
        if (left > 1)
            three |= (uint32_t)(unsigned char)s[i + 1] << 8;
        if (left > 2)
            three |= (unsigned char)s[i + 2];
        *to++ = alphabet[three >> 18];
        *to++ = alphabet[three >> 12 & 63];
        *to++ = '=';
        *to++ = '=';
        if (left > 1)
            to[-2] = alphabet[three >> 6 & 63];
        if (left > 2)
            to[-1] = alphabet[three & 63];
    }
    return (size_t)(to - out);
}

/* What one letter stands for, or 64. */
static uint32_t
six(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

ssize_t
base64_decode(char *out, char const *s, size_t len)
{
    char *to = out;
    size_t pad = 0;

    if (len % 4)
        return (errno = EPROTO, -1);
    for (size_t i = 0; i < len; i += 4) {
        uint32_t four = 0;
        if (i + 4 == len)
            pad = s[i + 3] != '=' ? 0 : s[i + 2] != '=' ? 1 : 2;
        for (size_t j = 0; j < 4; j++) {
            uint32_t bits = j < 4 - pad ? six(s[i + j]) : 0;
            if (bits > 63)
                return (errno = EPROTO, -1);
            four = four << 6 | bits;
        }
        if (four & ((1u << 8 * pad) - 1))
            return (errno = EPROTO, -1);
        *to++ = (char)(four >> 16);
        if (pad < 2)
            *to++ = (char)(four >> 8);
        if (!pad)
            *to++ = (char)four;
    }
    return to - out;
}
