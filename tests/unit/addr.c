/* lib/addr.c: what is a path, what is left of it, and the way back. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/tap.h"

#define ANY (ADDR_NULL | ADDR_LOCAL)
#define TEN(s) s s s s s s s s s s
#define L63 TEN("abcdef") "abc"
#define D255 L63 "." L63 "." L63 "." L63

static struct {
    char const *in;
    unsigned int how;
    char const *address; /* NULL: refused */
    int error;
    char const *rest;
} const paths[] = {
    {"<a@b>", 0, "a@b", 0, ""},
    {"<a@b> SIZE=1", 0, "a@b", 0, " SIZE=1"},
    {"<a@b>x", 0, "a@b", 0, "x"},
    {"<Joe.X@Example.ORG>", 0, "Joe.X@Example.ORG", 0, ""},
    {"<a!#$%&'*+-/=?^_`{|}~b@c.d>", 0, "a!#$%&'*+-/=?^_`{|}~b@c.d", 0, ""},
    {"<>", ADDR_NULL, "", 0, ""},
    {"<> BODY=8BITMIME", ADDR_NULL, "", 0, " BODY=8BITMIME"},
    {"<>", 0, NULL, EPROTO, NULL},
    {"<", ANY, NULL, EPROTO, NULL},
    {"", ANY, NULL, EPROTO, NULL},
    {">", ANY, NULL, EPROTO, NULL},
    {"<<>>", ANY, NULL, EPROTO, NULL},
    {"< >", ANY, NULL, EPROTO, NULL},
    {"<@>", ANY, NULL, EPROTO, NULL},
    {"<a@>", ANY, NULL, EPROTO, NULL},
    {"<@b>", ANY, NULL, EPROTO, NULL},
    {"<a@b", ANY, NULL, EPROTO, NULL},
    {"<a@b c@d>", ANY, NULL, EPROTO, NULL},
    {"<a b@c>", ANY, NULL, EPROTO, NULL},
    {"<a@b@c>", ANY, NULL, EPROTO, NULL},
    {"<a(x)@b>", ANY, NULL, EPROTO, NULL},
    {"<a,b@c>", ANY, NULL, EPROTO, NULL},
    {"<.a@b>", ANY, NULL, EPROTO, NULL},
    {"<a.@b>", ANY, NULL, EPROTO, NULL},
    {"<a..b@c>", ANY, NULL, EPROTO, NULL},
    {"<a@b.>", ANY, NULL, EPROTO, NULL},
    {"<a@.b>", ANY, NULL, EPROTO, NULL},
    {"<a@b..c>", ANY, NULL, EPROTO, NULL},
    {"<a@-b>", ANY, NULL, EPROTO, NULL},
    {"<a@b->", ANY, NULL, EPROTO, NULL},
    {"<a@b-.c>", ANY, NULL, EPROTO, NULL},
    {"<a@b_c.d>", 0, "a@b_c.d", 0, ""},
    {"<a@b/c>", ANY, NULL, EPROTO, NULL},
    {"<a@b\tc>", ANY, NULL, EPROTO, NULL},
    {"<a\tb@c>", ANY, NULL, EPROTO, NULL},
    {"<a\177b@c>", ANY, NULL, EPROTO, NULL},
    /* local parts alone */
    {"<postmaster>", ADDR_LOCAL, "postmaster", 0, ""},
    {"<Postmaster>", ADDR_LOCAL, "Postmaster", 0, ""},
    {"<postmaster>", 0, NULL, EPROTO, NULL},
    {"<\"post master\">", ADDR_LOCAL, "post master", 0, ""},
    {"<\"a@b\">", ADDR_LOCAL, NULL, EPROTO, NULL},
    {"<@x:\"a@b\">", ADDR_LOCAL, NULL, EPROTO, NULL},
    /* quoted strings */
    {"<\"a b\"@c>", 0, "a b@c", 0, ""},
    {"<\"a\\\"b\"@c>", 0, "a\"b@c", 0, ""},
    {"<\"a\\\\b\"@c>", 0, "a\\b@c", 0, ""},
    {"<\"a\\b\"@c>", 0, "ab@c", 0, ""},
    {"<\"a@b\"@c>", 0, "a@b@c", 0, ""},
    {"<\"a>b\"@c>", 0, "a>b@c", 0, ""},
    {"<\"\"@c>", 0, "@c", 0, ""},
    {"<\"..\"@c>", 0, "..@c", 0, ""},
    {"<\"a@c>", ANY, NULL, EPROTO, NULL},
    {"<\"a\\", ANY, NULL, EPROTO, NULL},
    {"<\"a\\\"", ANY, NULL, EPROTO, NULL},
    {"<\"", ANY, NULL, EPROTO, NULL},
    {"<\"a\"b@c>", ANY, NULL, EPROTO, NULL},
    {"<\"a\".\"b\"@c>", ANY, NULL, EPROTO, NULL},
    {"<\"a\tb\"@c>", ANY, NULL, EPROTO, NULL},
    {"<\"a\rb\"@c>", ANY, NULL, EPROTO, NULL},
    {"<\"a\\\nb\"@c>", ANY, NULL, EPROTO, NULL},
    {"<a\\ b@c>", ANY, NULL, EPROTO, NULL},
    /* address literals */
    {"<a@[192.0.2.1]>", 0, "a@[192.0.2.1]", 0, ""},
    {"<a@[IPv6:2001:db8::1]>", 0, "a@[IPv6:2001:db8::1]", 0, ""},
    {"<a@[ipv6:::ffff:192.0.2.1]>", 0, "a@[ipv6:::ffff:192.0.2.1]", 0, ""},
    {"<a@[tag:text]>", 0, "a@[tag:text]", 0, ""},
    {"<a@[192.0.2.256]>", ANY, NULL, EPROTO, NULL},
    {"<a@[192.0.2]>", ANY, NULL, EPROTO, NULL},
    {"<a@[IPv6:2001:db8]>", ANY, NULL, EPROTO, NULL},
    {"<a@[IPv6:]>", ANY, NULL, EPROTO, NULL},
    {"<a@[2001:db8::1", ANY, NULL, EPROTO, NULL},
    {"<a@[]>", ANY, NULL, EPROTO, NULL},
    {"<a@[192.0.2.1>", ANY, NULL, EPROTO, NULL},
    {"<a@[192.0.2.1].b>", ANY, NULL, EPROTO, NULL},
    {"<a@[x:a[b]>", ANY, NULL, EPROTO, NULL},
    {"<a@[:x]>", ANY, NULL, EPROTO, NULL},
    {"<a@[x:]>", ANY, NULL, EPROTO, NULL},
    {"<a@[x:a@b]>", ANY, NULL, EPROTO, NULL},
    {"<a@[x:a b]>", ANY, NULL, EPROTO, NULL},
    /* source routes */
    {"<@x:a@b>", 0, "a@b", 0, ""},
    {"<@x,@y.z,@[192.0.2.1]:a@b>", 0, "a@b", 0, ""},
    {"<@x:postmaster>", ADDR_LOCAL, "postmaster", 0, ""},
    {"<@x:\"a b\"@c>", 0, "a b@c", 0, ""},
    {"<@x:>", ANY, NULL, EPROTO, NULL},
    {"<@x>", ANY, NULL, EPROTO, NULL},
    {"<@:a@b>", ANY, NULL, EPROTO, NULL},
    {"<@x,:a@b>", ANY, NULL, EPROTO, NULL},
    {"<@x,y:a@b>", ANY, NULL, EPROTO, NULL},
    {"<@x @y:a@b>", ANY, NULL, EPROTO, NULL},
    {"<@x:@y:a@b>", ANY, NULL, EPROTO, NULL},
    {"<@-:a@b>", ANY, NULL, EPROTO, NULL},
    /* without brackets */
    {"a@b", ADDR_BARE, "a@b", 0, ""},
    {"a@b SIZE=1", ADDR_BARE, "a@b", 0, " SIZE=1"},
    {"a@b", 0, NULL, EPROTO, NULL},
    {"a@b>", ADDR_BARE, NULL, EPROTO, NULL},
    {"\"a b\"@c x", ADDR_BARE, "a b@c", 0, " x"},
    {"", ADDR_BARE | ADDR_NULL, NULL, EPROTO, NULL},
    {"postmaster", ADDR_BARE | ADDR_LOCAL, "postmaster", 0, ""},
    /* bytes from 0x80 */
    {"<\303\251@b>", 0, NULL, EILSEQ, NULL},
    {"<a\303\251@b>", 0, NULL, EILSEQ, NULL},
    {"<a@\303\251.b>", 0, NULL, EILSEQ, NULL},
    {"<\"\303\251\"@b>", 0, NULL, EILSEQ, NULL},
    {"<a\303\251@\303\251.b>", ADDR_UTF8, "a\303\251@\303\251.b", 0, ""},
    {"<\"\303\251 x\"@b>", ADDR_UTF8, "\303\251 x@b", 0, ""},
    /* lengths */
    {"<a@" L63 ">", 0, "a@" L63, 0, ""},
    {"<a@" L63 "x>", ANY, NULL, EPROTO, NULL},
    {"<a@" D255 ">", 0, "a@" D255, 0, ""},
    {"<a@" D255 ".x>", ANY, NULL, EMSGSIZE, NULL},
    {"<" TEN(L63) "@x.y>", 0, TEN(L63) "@x.y", 0, ""},
};

static void
test_paths(void)
{
    stralloc address = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct bytes in = {paths[i].in, strlen(paths[i].in)};
        char const *want = paths[i].address;
        errno = 0;
        int r = addr_path(&in, paths[i].how, &address);
        if (want)
            ok(r == 1 && address.len == strlen(want) && !memcmp(address.s, want, address.len) &&
                   in.len == strlen(paths[i].rest) && !memcmp(in.s, paths[i].rest, in.len),
               "row %zu is %.60s", i, want);
        else
            ok(!r && errno == paths[i].error, "%.60s is none (%s)", paths[i].in, strerror(errno));
    }
    stralloc_free(&address);
}

/* An address of ADDR_MAX bytes, and one more. */
static void
test_longest(void)
{
    stralloc address = STRALLOC_ZERO;
    char s[ADDR_MAX + 8];

    for (int more = 0; more < 2; more++) {
        size_t len = ADDR_MAX + (size_t)more;
        memset(s, 'x', sizeof s);
        s[0] = '<';
        s[len - 1] = '@';
        s[len + 1] = '>';
        struct bytes in = {s, len + 2};
        int r = addr_path(&in, 0, &address);
        ok(more ? !r && errno == EMSGSIZE : r && address.len == ADDR_MAX, "an address of %zu bytes", len);
    }
    stralloc_free(&address);
}

static struct {
    char const *address, *wire;
} const quotes[] = {
    {"a@b", "a@b"},
    {"", ""},
    {"postmaster", "postmaster"},
    {"a b@c", "\"a b\"@c"},
    {"a\"b\\c@d", "\"a\\\"b\\\\c\"@d"},
    {"a@b@c", "\"a@b\"@c"},
    {".a@b", "\".a\"@b"},
    {"a.@b", "\"a.\"@b"},
    {"a..b@c", "\"a..b\"@c"},
    {"@c", "\"\"@c"},
    {"a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"\303\251@b", "\303\251@b"},
    {"a@b>", NULL},
    {"a@", NULL},
    {"a@b c", NULL},
    {"a\r\nRSET@b", NULL},
    {"a\177@b", NULL},
    {"a@b\n", NULL},
};

static void
test_quotes(void)
{
    stralloc wire = STRALLOC_ZERO, again = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        size_t len = strlen(quotes[i].address);
        wire.len = 0;
        int r = addr_quote(&wire, quotes[i].address, len);
        if (!quotes[i].wire) {
            ok(!r && errno == EPROTO, "row %zu cannot be said", i);
            continue;
        }
        struct bytes in = {wire.s, wire.len};
        ok(r && wire.len == strlen(quotes[i].wire) && !memcmp(wire.s, quotes[i].wire, wire.len), "%s is said %s",
           quotes[i].address, quotes[i].wire);
        ok(!len || (addr_path(&in, ADDR_BARE | ADDR_LOCAL | ADDR_UTF8, &again) && again.len == len &&
                    !memcmp(again.s, quotes[i].address, len)),
           "and read back");
    }
    stralloc_free(&wire);
    stralloc_free(&again);
}

int
main(void)
{
    test_paths();
    test_longest();
    test_quotes();
    ok(addr_at("a@b@c", 5) == 3 && addr_at("abc", 3) == 3 && addr_at("", 0) == 0 && addr_at("@", 1) == 0, "addr_at");
    ok(!addr_domain("", 0, 0) && addr_domain("a", 1, 0) && !addr_domain("a\0b", 3, 0), "addr_domain");
    ok(!addr_literal("[", 1) && !addr_literal("[]", 2) && !addr_literal("[1.2.3.4\0]", 10), "addr_literal");
    return tap_done();
}
