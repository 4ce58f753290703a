/* access/proxy: headers of both versions, good and bad, whole and in pieces. */

#include <string.h>

#include "access/proxy.h"
#include "tests/tap.h"

static void
test_lines(void)
{
    static struct {
        char const *line;
        int who; /* -1: refused */
        char const *from;
        unsigned int port;
    } const table[] = {
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\n", PROXY_CLIENT, "192.0.2.1", 40000},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", PROXY_CLIENT, "255.255.255.255", 65535},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n", PROXY_CLIENT, "192.0.2.1", 0},
        {"PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n", PROXY_CLIENT, "2001:db8::1", 1},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         PROXY_CLIENT, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n", PROXY_CLIENT, "192.0.2.1", 1},
        {"PROXY UNKNOWN\r\n", PROXY_UNKNOWN, 0, 0},
        {"PROXY UNKNOWN ffff:: 1 2 3 anything\r\n", PROXY_UNKNOWN, 0, 0},
        {"PROXY UNKNOWNX\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25 \r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25 9\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n", -1, 0, 0},
        {"PROXY TCP4  192.0.2.1 198.51.100.2 40000 25\r\n", -1, 0, 0},
        {"PROXY TCP4\r\n", -1, 0, 0},
        {"PROXY TCP4 \r\n", -1, 0, 0},
        {"PROXY TCP5 192.0.2.1 198.51.100.2 40000 25\r\n", -1, 0, 0},
        {"PROXY UDP4 192.0.2.1 198.51.100.2 40000 25\r\n", -1, 0, 0},
        {"proxy tcp4 192.0.2.1 198.51.100.2 40000 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.256 198.51.100.2 40000 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 +1 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 01 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4x 25\r\n", -1, 0, 0},
        {"PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n", -1, 0, 0},
        {"PROXY TCP6 192.0.2.1 198.51.100.2 1 25\r\n", -1, 0, 0},
        {"PROXY TCP6 fe80::1%eth0 ::1 1 25\r\n", -1, 0, 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 4 25\r\n\r\n", -1, 0, 0},
        {"EHLO x\r\n", -1, 0, 0},
        {"\r\n", -1, 0, 0},
        {"", -1, 0, 0},
    };
    char text[IP_FMT + 1];
    struct proxy p;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int got = proxy_line(&p, table[i].line, strlen(table[i].line));
        int good = got == (table[i].who >= 0) && (!got || (int)p.who == table[i].who);
        if (good && table[i].from) {
            text[ip_fmt(text, &p.from)] = 0;
            good = !strcmp(text, table[i].from) && p.from_port == table[i].port;
        }
        ok(good, "line %.*s", (int)strcspn(table[i].line, "\r\n"), table[i].line);
    }
}

/* ---- from a wire that gives so many bytes a time ---- */

struct wire {
    unsigned char const *s;
    size_t len, step;
};

static ptrdiff_t
get(void *data, unsigned char *to, size_t len)
{
    struct wire *w = data;

    if (len > w->step)
        len = w->step;
    if (len > w->len)
        len = w->len;
    memcpy(to, w->s, len);
    w->s += len;
    w->len -= len;
    return (ptrdiff_t)len;
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR "\300\0\2\1\306\63\144\2\234\100\0\31"
#define SIX "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\2\234\100\0\31"

static void
test_wire(void)
{
    static struct {
        char const *name, *bytes;
        size_t len, left; /* behind the header */
        int who;
        char const *from;
    } const table[] = {
#define CASE(name, bytes, left, who, from) {name, bytes, sizeof(bytes) - 1, left, who, from}
        CASE("version 1", "PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\nEHLO x\r\n", 8, PROXY_CLIENT, "192.0.2.1"),
        CASE("the shortest line", "PROXY UNKNOWN\r\nE", 1, PROXY_UNKNOWN, 0),
        CASE("version 2, IPv4", SIGNATURE "\x21\x11\0\14" FOUR "EHLO x\r\n", 8, PROXY_CLIENT, "192.0.2.1"),
        CASE("IPv6", SIGNATURE "\x21\x21\0\44" SIX "E", 1, PROXY_CLIENT, "2001:db8::1"),
        CASE("IPv4 and more", SIGNATURE "\x21\x11\0\20" FOUR "\4\0\1xEHLO", 4, PROXY_CLIENT, "192.0.2.1"),
        CASE("IPv6 and more", SIGNATURE "\x21\x21\0\47" SIX "\4\0\0EHLO", 4, PROXY_CLIENT, "2001:db8::1"),
        CASE("local", SIGNATURE "\x20\0\0\0E", 1, PROXY_ITSELF, 0),
        CASE("local with addresses", SIGNATURE "\x20\x11\0\14" FOUR "E", 1, PROXY_ITSELF, 0),
        CASE("unspecified", SIGNATURE "\x21\0\0\0E", 1, PROXY_UNKNOWN, 0),
        CASE("unspecified with more", SIGNATURE "\x21\0\0\5abcdeE", 1, PROXY_UNKNOWN, 0),
        CASE("Unix", SIGNATURE "\x21\x31\0\3abcE", 1, PROXY_UNKNOWN, 0),
        CASE("a datagram", SIGNATURE "\x21\x12\0\14" FOUR "E", 1, -1, 0),
        CASE("an unknown family", SIGNATURE "\x21\x41\0\14" FOUR "E", 1, -1, 0),
        CASE("IPv4 cut", SIGNATURE "\x21\x11\0\13\300\0\2\1\306\63\144\2\234\100\0E", 1, -1, 0),
        CASE("IPv6 with the length of IPv4", SIGNATURE "\x21\x21\0\14" FOUR "E", 1, -1, 0),
        CASE("version 1 in binary", SIGNATURE "\x11\x11\0\14" FOUR "E", 13, -1, 0),
        CASE("an unknown command", SIGNATURE "\x22\x11\0\14" FOUR "E", 13, -1, 0),
        CASE("end in the signature", "\r\n\r\n", 0, -1, 0),
        CASE("end in the head", SIGNATURE "\x21\x11", 0, -1, 0),
        CASE("end in the addresses", SIGNATURE "\x21\x11\0\14\300\0", 0, -1, 0),
        CASE("end in the rest", SIGNATURE "\x21\x11\0\100" FOUR "abc", 0, -1, 0),
        CASE("end in the line", "PROXY TCP4 192.0.2.1", 0, -1, 0),
        CASE("no header", "EHLO example.org\r\n", 6, -1, 0),
        CASE("a line without end",
             "PROXY UNKNOWN "
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
             "yyyy",
             4, -1, 0),
#undef CASE
    };
    char text[IP_FMT + 1];
    struct proxy p;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t step = 1; step <= 4096; step *= 16) {
            struct wire w = {(unsigned char const *)table[i].bytes, table[i].len, step};
            int got = proxy_read(&p, get, &w);
            int good = got == (table[i].who >= 0) && w.len == table[i].left && (!got || (int)p.who == table[i].who);
            if (good && table[i].from) {
                text[ip_fmt(text, &p.from)] = 0;
                good = !strcmp(text, table[i].from) && p.from_port == 40000 && p.to_port == 25;
            }
            ok(good, "%s, %zu bytes a time", table[i].name, step);
        }
}

int
main(void)
{
    test_lines();
    test_wire();
    return tap_done();
}
