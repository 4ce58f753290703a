#include "queue/envelope.h"

#include <errno.h>
#include <string.h>

#include <skalibs/types.h>

static int
bad(void)
{
    errno = EPROTO;
    return -1;
}

static int
named(char const *s, size_t len)
{
    if (!len || len > ENVELOPE_NAME_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9')))
            return 0;
    return 1;
}

static int
one_line(struct bytes v)
{
    return !memchr(v.s, 0, v.len) && !memchr(v.s, '\n', v.len) && !memchr(v.s, '\r', v.len);
}

int
envelope_next(struct bytes *cursor, struct record *r)
{
    struct bytes item;
    char const *equals;
    int got;

    if (!cursor->len)
        return 0;
    got = netstring_take(cursor, ENVELOPE_NAME_MAX + 1 + ENVELOPE_VALUE_MAX, &item);
    if (got != 1)
        return bad();
    equals = memchr(item.s, '=', item.len);
    if (!equals)
        return bad();
    r->name = item.s;
    r->namelen = (size_t)(equals - item.s);
    r->value.s = equals + 1;
    r->value.len = item.len - r->namelen - 1;
    if (!named(r->name, r->namelen) || r->value.len > ENVELOPE_VALUE_MAX || !one_line(r->value))
        return bad();
    return 1;
}

int
envelope_recipient(struct bytes *cursor, struct record *r)
{
    while (envelope_next(cursor, r) == 1)
        if (record_is(r, "to"))
            return 1;
    return 0;
}

int
envelope_notify(struct bytes cursor, char const *word, int otherwise)
{
    struct record r;

    while (envelope_next(&cursor, &r) == 1 && !record_is(&r, "to"))
        if (record_is(&r, "notify"))
            return memmem(r.value.s, r.value.len, word, strlen(word)) != 0;
    return otherwise;
}

int
record_is(struct record const *r, char const *name)
{
    return strlen(name) == r->namelen && !memcmp(name, r->name, r->namelen);
}

int
record_uint(struct record const *r, uint64_t *n)
{
    char digits[UINT64_FMT];

    if (!r->value.len || r->value.len >= sizeof digits)
        return (errno = EPROTO, 0);
    memcpy(digits, r->value.s, r->value.len);
    digits[r->value.len] = 0;
    return uint640_scan(digits, n) ? 1 : (errno = EPROTO, 0);
}

int
envelope_put(stralloc *to, char const *name, char const *value, size_t len)
{
    size_t namelen = strlen(name);
    size_t whole = namelen + 1 + len;
    char digits[SIZE_FMT];
    size_t n = size_fmt(digits, whole);

    digits[n++] = ':';
    return stralloc_readyplus(to, n + whole + 1) && stralloc_catb(to, digits, n) && stralloc_catb(to, name, namelen) &&
           stralloc_catb(to, "=", 1) && stralloc_catb(to, value, len) && stralloc_catb(to, ",", 1);
}

int
envelope_putuint(stralloc *to, char const *name, uint64_t value)
{
    char digits[UINT64_FMT];

    return envelope_put(to, name, digits, uint64_fmt(digits, value));
}

int
envelope_find(struct bytes envelope, char const *name, struct bytes *value)
{
    struct record r;
    int got;

    while ((got = envelope_next(&envelope, &r)) == 1) {
        if (record_is(&r, name)) {
            *value = r.value;
            return 1;
        }
        if (record_is(&r, "to"))
            return 0;
    }
    return got;
}

int
envelope_address(char const *s, size_t len)
{
    if (len > ENVELOPE_ADDRESS_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return 0;
    return 1;
}

int
envelope_check(struct bytes envelope, uint32_t *recipients)
{
    struct record r;
    unsigned int senders = 0;
    int got;

    *recipients = 0;
    while ((got = envelope_next(&envelope, &r)) == 1) {
        int from = record_is(&r, "from");
        int to = record_is(&r, "to");
        int of_recipient = record_is(&r, "notify") || record_is(&r, "orcpt");
        if ((from || to) && !envelope_address(r.value.s, r.value.len))
            return (errno = EPROTO, 0);
        if ((from && ++senders > 1) || (of_recipient && !*recipients))
            return (errno = EPROTO, 0);
        if (to && ++*recipients > ENVELOPE_RECIPIENTS_MAX)
            return (errno = EPROTO, 0);
    }
    return got == 0 && senders == 1 ? 1 : (errno = EPROTO, 0);
}
