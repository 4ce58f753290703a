/* Routes and the order of MX. */

#include <stdio.h>
#include <string.h>

#include "remote/targets.h"
#include "tests/tap.h"

static void
test_routes(void)
{
    static char const lines[] = "example.org:mx.example.net\0"
                                "port.test:mx.example.net:2525\0"
                                "ip.test:192.0.2.1\0"
                                "lit.test:[192.0.2.2]:26\0"
                                "six.test:[2001:db8::1]:27\0"
                                "mx.test:\0"
                                "mxport.test::2525\0"
                                ".sub.test:relay.test\0"
                                "deep.a.sub.test:deep.test\0"
                                "bad1.test:mx:0\0"
                                "bad2.test:mx:99999\0"
                                "bad3.test:[1.2.3\0"
                                "bad4.test:a b\0"
                                "bad5.test:[1.2.3.4]x\0"
                                "bad6.test:$(id)\0"
                                "bad7.test:mx:\0"
                                "bad8.test:2001:db8::1\0";
    static struct {
        char const *domain;
        int found;
        char const *host;
        unsigned int port;
        int literal;
    } const table[] = {
        {"example.org", 1, "mx.example.net", 25, 0},
        {"EXAMPLE.Org", 1, "mx.example.net", 25, 0},
        {"x.example.org", 0, "", 25, 0},
        {"port.test", 1, "mx.example.net", 2525, 0},
        {"ip.test", 1, "192.0.2.1", 25, 1},
        {"lit.test", 1, "[192.0.2.2]", 26, 1},
        {"six.test", 1, "[2001:db8::1]", 27, 1},
        {"mx.test", 1, "", 25, 0},
        {"mxport.test", 1, "", 2525, 0},
        {"sub.test", 0, "", 25, 0},
        {"a.sub.test", 1, "relay.test", 25, 0},
        {"b.a.sub.test", 1, "relay.test", 25, 0},
        {"deep.a.sub.test", 1, "deep.test", 25, 0},
        {"xsub.test", 0, "", 25, 0},
        {"bad1.test", -1, "", 0, 0},
        {"bad2.test", -1, "", 0, 0},
        {"bad3.test", -1, "", 0, 0},
        {"bad4.test", -1, "", 0, 0},
        {"bad5.test", -1, "", 0, 0},
        {"bad6.test", -1, "", 0, 0},
        {"bad7.test", -1, "", 0, 0},
        {"bad8.test", -1, "", 0, 0},
        {"", 0, "", 25, 0},
    };
    stralloc routes = STRALLOC_ZERO;
    struct smtproute route;

    stralloc_catb(&routes, lines, sizeof lines - 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int got = targets_route(&routes, table[i].domain, strlen(table[i].domain), &route);
        ok(got == table[i].found && (got == -1 || (!strcmp(route.host, table[i].host) && route.port == table[i].port &&
                                                   route.literal == table[i].literal)),
           "route of '%s'", table[i].domain);
    }
    stralloc_catb(&routes, ":smart.test", 12);
    ok(targets_route(&routes, "other.test", 10, &route) == 1 && !strcmp(route.host, "smart.test"), "the empty domain");
    ok(targets_route(&routes, "mx.test", 7, &route) == 1 && !*route.host, "an exception from it");
    stralloc_free(&routes);
}

static void
test_shuffle(void)
{
    unsigned int first[4] = {0};
    int sorted = 1;
    int whole = 1;

    for (int round = 0; round < 4000; round++) {
        struct dns_mx mx[8] = {0};
        unsigned int seen = 0;
        for (unsigned int i = 0; i < 8; i++) {
            mx[i].preference = i < 2 ? 5 : i < 6 ? 10 : (uint16_t)(20 + i);
            mx[i].name[0] = (char)('a' + i);
        }
        if (!targets_shuffle(mx, 8))
            break;
        for (unsigned int i = 0; i < 8; i++) {
            sorted &= !i || mx[i].preference >= mx[i - 1].preference;
            seen |= 1u << (mx[i].name[0] - 'a');
        }
        whole &= seen == 255;
        first[mx[2].name[0] - 'c']++;
    }
    ok(sorted && whole, "only equal ones change places, none is lost");
    ok(first[0] > 800 && first[1] > 800 && first[2] > 800 && first[3] > 800, "each of four is first: %u %u %u %u",
       first[0], first[1], first[2], first[3]);
}

/* What is decided without asking anybody. */
static void
test_find(void)
{
    static struct {
        char const *domain, *route;
        int loopback, found;
        char const *code, *ip;
    } const table[] = {
        {"[192.0.2.9]", "x:y", 0, 1, "", "192.0.2.9"},
        {"[127.0.0.1]", "x:y", 0, 0, "5.4.6", ""},
        {"[127.0.0.1]", "x:y", 1, 1, "", "127.0.0.1"},
        {"[::ffff:127.0.0.1]", "x:y", 0, 0, "5.4.6", ""},
        {"[IPv6:::1]", "x:y", 0, 0, "5.4.6", ""},
        {"a.test", ":127.0.0.1", 0, 1, "", "127.0.0.1"},
        {"a.test", ":[x]", 0, 0, "4.3.5", ""},
        {"a b.test", "x:y", 0, 0, "5.1.2", ""},
        {"", "x:y", 0, 0, "5.1.2", ""},
        {"$(id).test", "x:y", 0, 0, "5.1.2", ""},
        {"b\xc3\xbc.test", "x:y", 0, 0, "5.1.2", ""},
    };
    static struct dns dns;
    stralloc own = STRALLOC_ZERO;
    struct targets to;
    struct verdict why;
    tain deadline;

    tain_addsec_g(&deadline, 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        stralloc routes = STRALLOC_ZERO;
        char ip[IP_FMT + 1] = "";
        stralloc_catb(&routes, table[i].route, strlen(table[i].route) + 1);
        struct targets_question how = {&routes, "me.test", &own, table[i].loopback, &deadline};
        int got = targets_find(&dns, table[i].domain, strlen(table[i].domain), &how, &to, &why);
        if (got)
            ip[ip_fmt(ip, &to.list[0].ip)] = 0;
        ok(got == table[i].found &&
               (got ? to.count == 1 && !strcmp(ip, table[i].ip) : !strcmp(why.code, table[i].code)),
           "target of '%s'", table[i].domain);
        stralloc_free(&routes);
    }
}

int
main(void)
{
    tain_now_set_stopwatch_g();
    test_routes();
    test_shuffle();
    test_find();
    return tap_done();
}
