/* A cursor walks over the path; nothing is looked at before the end is
 * compared, nothing is changed in place. */

#include "lib/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define COUNTED(s) s, sizeof s - 1

static int
is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* atext of RFC 5322 section 3.2.3. */
static int
is_atext(unsigned char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static int
fail(int e)
{
    errno = e;
    return 0;
}

/* What no path may hold: the reason that is told depends on the byte. */
static int
unfit(struct bytes const *in)
{
    return fail(in->len && (unsigned char)*in->s >= 0x80 ? EILSEQ : EPROTO);
}

static int
peek(struct bytes const *in, char c)
{
    return in->len && *in->s == c;
}

static void
skip(struct bytes *in, size_t n)
{
    in->s += n;
    in->len -= n;
}

static int
take(struct bytes *in, char c)
{
    if (!peek(in, c))
        return 0;
    skip(in, 1);
    return 1;
}

static int
append(stralloc *to, char const *s, size_t len)
{
    if (len > ADDR_MAX - to->len)
        return fail(EMSGSIZE);
    return stralloc_catb(to, s, len) ? 1 : fail(ENOMEM);
}

/* One label: letters, digits, '_', '-' not at its ends. */
static int
is_label(char const *s, size_t len, unsigned int how)
{
    if (!len || len > ADDR_LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
        return 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (!is_alnum(c) && c != '-' && c != '_' && !(c >= 0x80 && how & ADDR_UTF8))
            return 0;
    }
    return 1;
}

int
addr_domain(char const *s, size_t len, unsigned int how)
{
    if (len > ADDR_DOMAIN_MAX)
        return 0;
    for (;;) {
        char const *dot = memchr(s, '.', len);
        size_t label = dot ? (size_t)(dot - s) : len;
        if (!is_label(s, label, how))
            return 0;
        if (!dot)
            return 1;
        s += label + 1;
        len -= label + 1;
    }
}

/* The text of a General-address-literal: a tag, ':' and printing characters
 * without brackets and backslash. */
static int
is_tagged(char const *s, size_t len)
{
    char const *colon = memchr(s, ':', len);

    if (!colon || !is_label(s, (size_t)(colon - s), 0) || colon + 1 == s + len)
        return 0;
    for (char const *p = colon + 1; p < s + len; p++)
        if (*p < 33 || *p > 126 || strchr("@[\\]", *p))
            return 0;
    return 1;
}

int
addr_literal(char const *s, size_t len)
{
    static char const six[] = "IPv6:";
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];

    if (len < 3 || len > ADDR_DOMAIN_MAX || s[0] != '[' || s[len - 1] != ']')
        return 0;
    s++;
    len -= 2;
    int v6 = len > sizeof six - 1 && !strncasecmp(s, COUNTED(six));
    size_t prefix = v6 ? sizeof six - 1 : 0;
    if (memchr(s, 0, len))
        return 0;
    if (len - prefix < sizeof text) {
        memcpy(text, s + prefix, len - prefix);
        text[len - prefix] = 0;
        if (inet_pton(v6 ? AF_INET6 : AF_INET, text, address) == 1)
            return 1;
    }
    return !v6 && is_tagged(s, len);
}

/* A Domain or address literal at the front of `in`; how many bytes, 0 with
 * errno if there is none. */
static size_t
domain_at(struct bytes const *in, unsigned int how)
{
    size_t n = 0;

    if (peek(in, '[')) {
        char const *end = memchr(in->s, ']', in->len);
        n = end ? (size_t)(end - in->s) + 1 : 0;
        return addr_literal(in->s, n) ? n : (size_t)unfit(in);
    }
    while (n < in->len && !(in->s[n] && strchr(" ,:>", in->s[n])))
        n++;
    if (addr_domain(in->s, n, how))
        return n;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)in->s[i] >= 0x80 && !(how & ADDR_UTF8))
            return (size_t)fail(EILSEQ);
    return (size_t)fail(n > ADDR_DOMAIN_MAX ? EMSGSIZE : EPROTO);
}

/* "@one,@two:" before the mailbox: RFC 5321 wants it understood and ignored. */
static int
skip_route(struct bytes *in, unsigned int how)
{
    while (take(in, '@')) {
        size_t n = domain_at(in, how);
        if (!n)
            return 0;
        skip(in, n);
        if (take(in, ':'))
            return 1;
        if (!take(in, ',') || !peek(in, '@'))
            return fail(EPROTO);
    }
    return 1;
}

static int
quoted_string(struct bytes *in, unsigned int how, stralloc *address)
{
    while (!take(in, '"')) {
        int escaped = take(in, '\\');
        unsigned char c = in->len ? (unsigned char)*in->s : 0;
        if (c < 32 || c == 127 || (c >= 0x80 && (escaped || !(how & ADDR_UTF8))))
            return unfit(in);
        if (!append(address, in->s, 1))
            return 0;
        skip(in, 1);
    }
    return 1;
}

static int
dot_string(struct bytes *in, unsigned int how, stralloc *address)
{
    size_t n = 0;
    int after_dot = 1;

    for (; n < in->len; n++) {
        unsigned char c = (unsigned char)in->s[n];
        if (c == '.' && after_dot)
            break;
        after_dot = c == '.';
        if (!after_dot && !is_atext(c) && !(c >= 0x80 && how & ADDR_UTF8))
            break;
    }
    if (!n || after_dot || in->s[n - 1] == '.') {
        skip(in, n);
        return unfit(in);
    }
    if (!append(address, in->s, n))
        return 0;
    skip(in, n);
    return 1;
}

static int
mailbox(struct bytes *in, unsigned int how, stralloc *address)
{
    if (!(take(in, '"') ? quoted_string(in, how, address) : dot_string(in, how, address)))
        return 0;
    if (!take(in, '@')) /* "a@b" in quotes alone: were it let through, b would be its domain from then on */
        return how & ADDR_LOCAL && addr_at(address->s, address->len) == address->len ? 1 : unfit(in);
    size_t n = domain_at(in, how);
    return n && append(address, "@", 1) && append(address, in->s, n) ? skip(in, n), 1 : 0;
}

int
addr_path(struct bytes *in, unsigned int how, stralloc *address)
{
    int bracket = take(in, '<');

    address->len = 0;
    if (!bracket && !(how & ADDR_BARE))
        return unfit(in);
    if (bracket && how & ADDR_NULL && take(in, '>'))
        return 1;
    if (!skip_route(in, how) || !mailbox(in, how, address))
        return 0;
    if (bracket ? take(in, '>') : !in->len || peek(in, ' '))
        return 1;
    return unfit(in);
}

size_t
addr_at(char const *address, size_t len)
{
    char const *at = len ? memrchr(address, '@', len) : NULL;

    return at ? (size_t)(at - address) : len;
}

static int
is_dot_string(char const *s, size_t len)
{
    int after_dot = 1;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '.' ? after_dot : !is_atext(c) && c < 0x80)
            return 0;
        after_dot = c == '.';
    }
    return !after_dot;
}

static int
put(stralloc *to, char const *s, size_t len)
{
    return stralloc_catb(to, s, len) ? 1 : fail(ENOMEM);
}

static int
quote_local(stralloc *to, char const *s, size_t len)
{
    if (is_dot_string(s, len))
        return put(to, s, len);
    if (!put(to, "\"", 1))
        return 0;
    for (size_t i = 0; i < len; i++)
        if (((s[i] == '"' || s[i] == '\\') && !put(to, "\\", 1)) || !put(to, s + i, 1))
            return 0;
    return put(to, "\"", 1);
}

int
addr_quote(stralloc *to, char const *address, size_t len)
{
    size_t at = addr_at(address, len);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)address[i] < 32 || address[i] == 127)
            return fail(EPROTO);
    if (at < len && !addr_domain(address + at + 1, len - at - 1, ADDR_UTF8) &&
        !addr_literal(address + at + 1, len - at - 1))
        return fail(EPROTO);
    if (!len)
        return put(to, "", 0);
    return quote_local(to, address, at) && put(to, address + at, len - at);
}
