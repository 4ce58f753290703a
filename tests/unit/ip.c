/* lib/ip: addresses in all their clothes. */

#include <string.h>

#include "lib/ip.h"
#include "tests/tap.h"

static void
test_scan(void)
{
    static struct {
        char const *in, *out; /* NULL: refused */
        int loopback;
    } const table[] = {
        {"192.0.2.1", "192.0.2.1", 0},
        {"127.0.0.1", "127.0.0.1", 1},
        {"127.255.1.2", "127.255.1.2", 1},
        {"0.0.0.0", "0.0.0.0", 1},
        {"0.1.2.3", "0.1.2.3", 1},
        {"::1", "::1", 1},
        {"::", "::", 1},
        {"::2", "::2", 0},
        {"::ffff:127.0.0.1", "127.0.0.1", 1},
        {"::ffff:7f00:1", "127.0.0.1", 1},
        {"::ffff:192.0.2.1", "192.0.2.1", 0},
        {"2001:DB8::1", "2001:db8::1", 0},
        {"fe80::1%eth0", 0, 0},
        {"192.0.2", 0, 0},
        {"192.0.2.256", 0, 0},
        {"192.0.2.1 ", 0, 0},
        {"192.0.2.1.5", 0, 0},
        {"0x7f.0.0.1", 0, 0},
        {"2130706433", 0, 0},
        {"localhost", 0, 0},
        {"", 0, 0},
        {":", 0, 0},
        {"[::1]", 0, 0},
    };
    struct ip ip;
    char text[IP_FMT];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int got = ip_scan(table[i].in, strlen(table[i].in), &ip);
        int good = got == (table[i].out != 0);
        if (good && got) {
            size_t n = ip_fmt(text, &ip);
            good =
                n == strlen(table[i].out) && !memcmp(text, table[i].out, n) && ip_isloopback(&ip) == table[i].loopback;
        }
        ok(good, "address '%s'", table[i].in);
    }
}

static void
test_net(void)
{
    static struct {
        char const *net, *ip;
        int inside; /* -1: no network */
    } const table[] = {
        {"192.0.2.0/24", "192.0.2.255", 1},
        {"192.0.2.0/24", "192.0.3.0", 0},
        {"192.0.2.128/25", "192.0.2.127", 0},
        {"192.0.2.128/25", "192.0.2.128", 1},
        {"192.0.2.4/31", "192.0.2.5", 1},
        {"192.0.2.4/31", "192.0.2.6", 0},
        {"192.0.2.1", "192.0.2.1", 1},
        {"192.0.2.1", "::ffff:192.0.2.1", 1},
        {"192.0.2.1/32", "192.0.2.2", 0},
        {"0.0.0.0/0", "203.0.113.9", 1},
        {"0.0.0.0/0", "2001:db8::1", 0},
        {"::/0", "2001:db8::1", 1},
        {"::/0", "192.0.2.1", 0},
        {"2001:db8::/32", "2001:db8:ffff::1", 1},
        {"2001:db8::/32", "2001:db9::1", 0},
        {"2001:db8::1/128", "2001:db8::1", 1},
        {"192.0.2.1/24", "192.0.2.1", -1},
        {"192.0.2.0/33", "192.0.2.1", -1},
        {"2001:db8::1/64", "2001:db8::1", -1},
        {"2001:db8::/129", "2001:db8::1", -1},
        {"::ffff:192.0.2.0/120", "192.0.2.1", -1},
        {"192.0.2.0/", "192.0.2.1", -1},
        {"192.0.2.0/+24", "192.0.2.1", -1},
        {"192.0.2.0/24x", "192.0.2.1", -1},
        {"/24", "192.0.2.1", -1},
        {"", "192.0.2.1", -1},
    };
    struct ip net, ip;
    unsigned int bits;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int got = ip_scan_net(table[i].net, strlen(table[i].net), &net, &bits);
        ip_scan(table[i].ip, strlen(table[i].ip), &ip);
        ok((got ? ip_inside(&ip, &net, bits) : -1) == table[i].inside &&
               ip_inlist(&ip, table[i].net, strlen(table[i].net) + 1) == (table[i].inside == 1),
           "%s in '%s'", table[i].ip, table[i].net);
    }
    ok(ip_inlist(&ip, "x\00010.0.0.0/8\000192.0.2.1", 24) == 1, "the last of a list");
}

static void
test_port(void)
{
    static struct {
        char const *in;
        int good, is6;
        unsigned int port;
    } const table[] = {
        {"192.0.2.1", 1, 0, 53},
        {"192.0.2.1:5353", 1, 0, 5353},
        {"2001:db8::1", 1, 1, 53},
        {"[2001:db8::1]", 1, 1, 53},
        {"[2001:db8::1]:9", 1, 1, 9},
        {"[192.0.2.1]:9", 1, 0, 9},
        {"192.0.2.1:", 0, 0, 0},
        {"192.0.2.1:0", 0, 0, 0},
        {"192.0.2.1:65536", 0, 0, 0},
        {"192.0.2.1:123456", 0, 0, 0},
        {"192.0.2.1:5x", 0, 0, 0},
        {"[2001:db8::1", 0, 0, 0},
        {"[2001:db8::1]9", 0, 0, 0},
        {"[]:9", 0, 0, 0},
        {"", 0, 0, 0},
        {":53", 0, 0, 0},
        {"[::1]:+9", 0, 0, 0},
    };
    struct ip ip;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint16_t port = 53;
        int got = ip_scan_port(table[i].in, strlen(table[i].in), &ip, &port);
        ok(got == table[i].good && (!got || (ip.is6 == table[i].is6 && port == table[i].port)), "with port '%s'",
           table[i].in);
    }
}

static void
test_literal(void)
{
    static struct {
        char const *in;
        int good;
    } const table[] = {
        {"[192.0.2.1]", 1},
        {"[IPv6:2001:db8::1]", 1},
        {"[ipv6:::1]", 1},
        {"[2001:db8::1]", 1},
        {"[IPv6:]", 0},
        {"[]", 0},
        {"[", 0},
        {"192.0.2.1", 0},
        {"[x:y]", 0},
        {"[192.0.2.1", 0},
        {"", 0},
    };
    struct ip ip;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ok(ip_scan_literal(table[i].in, strlen(table[i].in), &ip) == table[i].good, "literal '%s'", table[i].in);
}

int
main(void)
{
    struct ip here, there;
    stralloc own = STRALLOC_ZERO;

    test_scan();
    test_net();
    test_port();
    test_literal();
    ip_scan("127.0.0.1", 9, &here);
    ip_scan("192.0.2.77", 10, &there);
    ok(ip_own(&own) && own.len, "our own addresses");
    ok(ip_isin(&own, &here) && !ip_isin(&own, &there), "127.0.0.1 is one");
    stralloc_free(&own);
    ok(!ip_same(&here, &there) && ip_same(&here, &here), "same");
    return tap_done();
}
