#include "tls/keywire.h"

#include <bearssl.h>
#include <string.h>

int
keywire_name(char const *s, size_t len)
{
    if (!len || len > KEYWIRE_NAME_MAX || *s == '.' || *s == '-')
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-' && s[i] != '_' && s[i] != '.')
            return 0;
    return 1;
}

int
keywire_parameters(unsigned char const *s, size_t len)
{
    static struct {
        unsigned char curve, point;
    } const curves[] = {{BR_EC_secp256r1, 65}, {BR_EC_secp384r1, 97}, {BR_EC_secp521r1, 133}, {BR_EC_curve25519, 32}};

    if (len < KEYWIRE_RANDOMS + 4 || s[KEYWIRE_RANDOMS] != 3 || s[KEYWIRE_RANDOMS + 1])
        return 0;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (s[KEYWIRE_RANDOMS + 2] == curves[i].curve)
            return s[KEYWIRE_RANDOMS + 3] == curves[i].point && len == KEYWIRE_RANDOMS + 4u + curves[i].point;
    return 0;
}

static int
take_choose(struct keywire_request *r, char const *s, size_t len)
{
    if (len && !keywire_name(s, len))
        return -1;
    memcpy(r->name, s, len);
    r->name[len] = 0;
    return 1;
}

static int
take_sign(struct keywire_request *r, unsigned char const *s, size_t len)
{
    if (len < 2 || !keywire_parameters(s + 2, len - 2))
        return -1;
    r->scheme = (unsigned int)s[0] << 8 | s[1];
    r->what = s + 2;
    r->len = len - 2;
    return 1;
}

int
keywire_take(struct bytes *in, struct keywire_request *r)
{
    unsigned char const *s = (unsigned char const *)in->s;
    size_t len;

    if (in->len < KEYWIRE_HEADER)
        return 0;
    len = keywire_length(s);
    if (!len || len > KEYWIRE_REQUEST_MAX - KEYWIRE_HEADER)
        return -1;
    if (in->len - KEYWIRE_HEADER < len)
        return 0;
    *r = (struct keywire_request){.type = s[KEYWIRE_HEADER]};
    in->s += KEYWIRE_HEADER + len;
    in->len -= KEYWIRE_HEADER + len;
    s += KEYWIRE_HEADER + 1;
    return r->type == KEYWIRE_CHOOSE ? take_choose(r, (char const *)s, len - 1)
           : r->type == KEYWIRE_SIGN ? take_sign(r, s, len - 1)
                                     : -1;
}

void
keywire_header(unsigned char s[static KEYWIRE_HEADER], size_t len)
{
    for (unsigned int i = 0; i < KEYWIRE_HEADER; i++)
        s[i] = (unsigned char)(len >> (24 - 8 * i));
}

size_t
keywire_length(unsigned char const s[static KEYWIRE_HEADER])
{
    return (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
}
