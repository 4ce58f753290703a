/* smtpd/guard.c: what the lists badmailfrom, badrcptto and badhelo hold, and which names helostrict takes. */

#include <string.h>

#include "smtpd/guard.h"
#include "tests/tap.h"

static struct {
    char const *item, *address;
    int held;
} const addresses[] = {
    {"joe@a.test", "joe@a.test", 1},
    {"joe@a.test", "JOE@A.test", 1},
    {"joe@a.test", "jim@a.test", 0},
    {"joe@a.test", "joe@a.test.x", 0},
    {"@a.test", "joe@a.test", 1},
    {"@a.test", "joe@b.a.test", 0},
    {"@a.test", "a.test", 0},
    {"a.test", "joe@a.test", 0},
    {"@.a.test", "joe@b.a.test", 1},
    {"@.a.test", "joe@c.b.A.TEST", 1},
    {"@.a.test", "joe@a.test", 0},
    {"@.a.test", "joe@ba.test", 0},
    {"@.", "joe@a.test", 0},
    {"joe", "joe", 1},
    {"joe", "joe@a.test", 0},
    {"*", "x", 1},
    {"*", "", 0},
    {"*@a.test", "x@a.test", 1},
    {"*@a.test", "x@b.test", 0},
    {"j?e@*", "joe@a.test", 1},
    {"j?e@*", "je@a.test", 0},
    {"*spam*", "no.SPAM@a.test", 1},
    {"*a*b*c", "xxaxxbxxc", 1},
    {"*a*b*c", "xxaxxbxxcd", 0},
    {"a*", "a", 1},
    {"a?", "a", 0},
    {"**", "a", 1},
    {"*@*", "local", 0},
    {"@a.test", "\"x@b.test\"@a.test", 1},
};

static struct {
    char const *item, *name;
    int held;
} const names[] = {
    {"evil.test", "evil.test", 1},       {"evil.test", "EVIL.test", 1},  {"evil.test", "a.evil.test", 0},
    {".evil.test", "a.evil.test", 1},    {".evil.test", "evil.test", 0}, {"dyn-*", "dyn-1.test", 1},
    {"[192.0.2.1]", "[192.0.2.1]", 1},   {"*[0-9]*", "a1", 0},           {"*", "", 0},
    {"*192*", "host-192-0-2-1.test", 1},
};

static struct {
    char const *name;
    int proper;
} const helos[] = {
    {"mx.pneu.test", 1}, {"localhost", 0}, {"[192.0.2.1]", 1},   {"[IPv6:::1]", 1}, {"192.0.2.1 x", 0}, {"a..b", 0},
    {".a", 0},           {"a.", 0},        {"[192.0.2.256]", 0}, {"-a.b", 0},       {"a b.c", 0},       {"", 0},
};

int
main(void)
{
    stralloc list = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        if (!stralloc_copyb(&list, addresses[i].item, strlen(addresses[i].item) + 1) ||
            !stralloc_catb(&list, "other@x.test", sizeof "other@x.test"))
            return 111;
        ok(guard_address(&list, addresses[i].address, strlen(addresses[i].address)) == addresses[i].held,
           "list %s: address %s", addresses[i].item, addresses[i].address);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!stralloc_copyb(&list, names[i].item, strlen(names[i].item) + 1))
            return 111;
        ok(guard_name(&list, names[i].name, strlen(names[i].name)) == names[i].held, "list %s: name %s", names[i].item,
           names[i].name);
    }
    for (size_t i = 0; i < sizeof helos / sizeof *helos; i++)
        ok(guard_proper(helos[i].name, strlen(helos[i].name)) == helos[i].proper, "helostrict: \"%s\"", helos[i].name);
    list.len = 0;
    ok(!guard_address(&list, "a@b", 3) && !guard_name(&list, "a", 1), "an empty list holds nothing");
    stralloc_free(&list);
    return tap_done();
}
