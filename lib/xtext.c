#include "lib/xtext.h"

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
xtext_valid(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] < 33 || s[i] > 126 || s[i] == '=')
            return 0;
        if (s[i] != '+')
            continue;
        if (len - i < 3 || hex(s[i + 1]) == -1 || hex(s[i + 2]) == -1)
            return 0;
        int c = hex(s[i + 1]) * 16 + hex(s[i + 2]);
        if (c < 32 || c > 126)
            return 0;
        i += 2;
    }
    return 1;
}

int
xtext_put(stralloc *to, char const *s, size_t len)
{
    static char const digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        char const coded[] = {'+', digits[c >> 4], digits[c & 15]};
        int plain = c >= 33 && c <= 126 && c != '+' && c != '=';
        if (!(plain ? stralloc_catb(to, s + i, 1) : stralloc_catb(to, coded, sizeof coded)))
            return 0;
    }
    return 1;
}

int
xtext_get(stralloc *to, char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int coded = s[i] == '+' && len - i > 2;
        int c = coded ? hex(s[i + 1]) * 16 + hex(s[i + 2]) : s[i];
        if (!stralloc_append(to, (char)c))
            return 0;
        i += coded ? 2 : 0;
    }
    return 1;
}
