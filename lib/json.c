#include "lib/json.h"

#include <string.h>

#include <skalibs/types.h>

#include "lib/utf8.h"

static int
hexadecimal(stralloc *to, char const *before, uint32_t value, unsigned int digits)
{
    char text[4];

    for (unsigned int i = digits; i--; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    return stralloc_cats(to, before) && stralloc_catb(to, text, digits);
}

static int
put(stralloc *to, unsigned char const *s, size_t n, uint32_t c)
{
    if (!n)
        return hexadecimal(to, "\\\\x", *s, 2);
    if (c == '"' || c == '\\')
        return stralloc_catb(to, "\\", 1) && stralloc_catb(to, (char const *)s, 1);
    return utf8_plain(c) ? stralloc_catb(to, (char const *)s, n) : hexadecimal(to, "\\u", c, 4);
}

int
json_string(stralloc *to, char const *s, size_t len)
{
    if (!stralloc_catb(to, "\"", 1))
        return 0;
    while (len) {
        uint32_t c = 0;
        size_t n = utf8_next(s, len, &c);
        if (!put(to, (unsigned char const *)s, n, c))
            return 0;
        s += n ? n : 1;
        len -= n ? n : 1;
    }
    return stralloc_catb(to, "\"", 1);
}

int
json_comma(stralloc *to)
{
    char last = to->len ? to->s[to->len - 1] : '[';

    return last == '{' || last == '[' || last == '\n' || stralloc_catb(to, ",", 1);
}

int
json_name(stralloc *to, char const *name)
{
    return json_comma(to) && json_string(to, name, strlen(name)) && stralloc_catb(to, ":", 1);
}

int
json_text(stralloc *to, char const *name, char const *s, size_t len)
{
    return json_name(to, name) && json_string(to, s, len);
}

int
json_uint(stralloc *to, char const *name, uint64_t value)
{
    char digits[UINT64_FMT];

    return json_name(to, name) && stralloc_catb(to, digits, uint64_fmt(digits, value));
}
