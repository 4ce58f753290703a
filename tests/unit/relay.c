/* control/relay: who may send where, and which line says so. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "control/relay.h"
#include "tests/tap.h"

static void
put(char const *name, char const *text)
{
    char path[100];

    snprintf(path, sizeof path, "control/%s", name);
    if (!text)
        unlink(path);
    else if (!openwritenclose_unsafe(path, text, strlen(text)))
        perror(path);
}

/* Decides about an address; "yes control/rcpthosts:2". */
static char const *
decide(struct relay_client const *c, char const *address)
{
    static char const *const words[] = {
        [RELAY_OWN] = "own", [RELAY_YES] = "yes", [RELAY_NO] = "no", [RELAY_LATER] = "later"};
    static char answer[300];
    static struct relay relay;
    static struct routes routes;
    stralloc to = STRALLOC_ZERO, file = STRALLOC_ZERO;
    struct relay_reason why;
    char const *which;
    enum route route;
    uint32_t line;

    if (!relay_read(&relay, NULL, &which) || !routes_read(&routes, &which) ||
        !route_find(&routes, address, strlen(address), &to, &route))
        return "unread";
    relay_decide(&relay, &routes, c, address, strlen(address), route, &why);
    if (!relay_where(&why, &file, &line))
        return "nowhere";
    if (why.verdict == RELAY_OWN)
        return "own";
    snprintf(answer, sizeof answer, line ? "%s %s:%u" : "%s %s", words[why.verdict], file.s, line);
    stralloc_free(&to);
    stralloc_free(&file);
    return answer;
}

static void
test_clients(void)
{
    static struct {
        struct relay_client client;
        char const *address, *answer;
    } const table[] = {
        {{0}, "joe@mx.pneu.test", "own"},
        {{0}, "joe", "own"},
        {{0}, "any@box.test", "own"},
        {{0}, "a%b@mx.pneu.test", "own"}, /* a user of that name, or none */
        {{0}, "any@back.test", "yes control/rcpthosts:3"},
        {{0}, "any@BACK.test", "yes control/rcpthosts:3"},
        {{0}, "any@a.b.below.test", "yes control/rcpthosts:4"},
        {{0}, "any@below.test", "no control/rcpthosts"},
        {{0}, "any@far.test", "no control/rcpthosts"},
        {{0}, "any@more.test", "yes control/morercpthosts:1"},
        {{0}, "a%far.test@back.test", "no control/rcpthosts:3"},
        {{0}, "far.test!a@back.test", "no control/rcpthosts:3"},
        {{0}, "a@far.test@back.test", "no control/rcpthosts:3"},
        {{0}, "a%far.test", "own"},
        {{.relayclient = ""}, "any@far.test", "yes environment:RELAYCLIENT"},
        {{.relayclient = "", .rule = "ip4/192.0.2.0_24"}, "any@far.test", "yes access:ip4/192.0.2.0_24"},
        {{.relayclient = "", .rule = "x"}, "a%b@far.test", "yes access:x"},
        {{.relayclient = "", .rule = "x"}, "joe@mx.pneu.test", "own"},
        {{.rule = "ip4/192.0.2.0_24"}, "any@far.test", "no control/rcpthosts"},
        {{.later = 1}, "any@far.test", "later control/rcpthosts"},
        {{.later = 1}, "any@back.test", "yes control/rcpthosts:3"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char const *got = decide(&table[i].client, table[i].address);
        ok(!strcmp(got, table[i].answer), "%s%s%s to %s: %s", table[i].client.relayclient ? "RELAYCLIENT " : "",
           table[i].client.rule ? table[i].client.rule : "", table[i].client.later ? "nameless" : "", table[i].address,
           got);
    }
}

/* A file's text for the name of a test. */
static char const *
shown(char const *text, char to[static 100])
{
    snprintf(to, 100, "%s", text ? text : "-");
    for (char *s = to; *s; s++)
        if (*s == '\n' || *s == '#')
            *s = ' ';
    return to;
}

static void
test_logins(void)
{
    static struct {
        char const *submitusers, *relayusers, *authrelay, *login, *answer;
        int submit;
    } const table[] = {
        {0, 0, 0, "joe", "yes control/authrelay", 1},
        {0, 0, "0\n", "joe", "no control/authrelay", 1},
        {0, "joe\n", "0\n", "joe", "yes control/relayusers:1", 1},
        {0, "joe\n", "1\n", "ann", "no control/relayusers", 1},
        {0, "", "1\n", "ann", "no control/relayusers", 1},
        {0, "# all but one\n!joe\n*\n", 0, "joe", "no control/relayusers:2", 1},
        {0, "# all but one\n!joe\n*\n", 0, "ann", "yes control/relayusers:3", 1},
        {0, "*\n!joe\n", 0, "joe", "yes control/relayusers:1", 1},
        {0, "%staff\n", 0, "ann", "yes control/relayusers:1", 1},
        {0, "%staff\n", 0, "Ann", "yes control/relayusers:1", 1},
        {0, "%staff\n", 0, "anna", "no control/relayusers", 1},
        {0, "!%staff\n*\n", 0, "ann", "no control/relayusers:1", 1},
        {0, "%sta\n", 0, "ann", "no control/relayusers", 1},
        {0, "%\n", 0, "ann", "no control/relayusers", 1},
        {0, "%nobody\n", 0, "", "no control/rcpthosts", 1},
        {0, "joe@pneu.test\n", 0, "joe", "no control/relayusers", 1},
        {0, "joe@pneu.test\n", 0, "joe@pneu.test", "yes control/relayusers:1", 1},
        {"joe\n", 0, 0, "joe", "yes control/authrelay", 1},
        {"joe\n", 0, 0, "ann", "no control/submitusers", 0},
        {"joe\n", "*\n", 0, "ann", "no control/submitusers", 0},
        {"joe\n!*\n", "*\n", 0, "ann", "no control/submitusers:2", 0},
        {"%staff\n", "joe\n", 0, "ann", "no control/relayusers", 1},
        {"", 0, 0, "joe", "no control/submitusers", 0},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct relay_client c = {.login = table[i].login, .login_len = strlen(table[i].login)};
        struct relay r = {.has_submitusers = 0};
        char const *item, *which;
        char a[100], b[100], d[100];
        put("submitusers", table[i].submitusers);
        put("relayusers", table[i].relayusers);
        put("authrelay", table[i].authrelay);
        char const *got = decide(&c, "any@far.test");
        ok(!strcmp(got, table[i].answer) && relay_read(&r, NULL, &which) &&
               (!c.login_len || relay_may_submit(&r, c.login, c.login_len, &item) == table[i].submit),
           "%s, submitusers %s, relayusers %s, authrelay %s: %s", table[i].login, shown(table[i].submitusers, a),
           shown(table[i].relayusers, b), shown(table[i].authrelay, d), got);
    }
}

/* A listener's own list is the one that counts. */
static void
test_server(void)
{
    struct relay_client c = {.relayclient = NULL};

    if (mkdir("control/servers", 0700) == -1 || mkdir("control/servers/in", 0700) == -1 ||
        setenv("PNEU_SERVER", "in", 1) == -1)
        perror("control/servers/in");
    put("servers/in/rcpthosts", "\nother.test\n");
    ok(!strcmp(decide(&c, "any@other.test"), "yes control/servers/in/rcpthosts:2"), "a listener's own rcpthosts");
    ok(!strcmp(decide(&c, "any@back.test"), "no control/servers/in/rcpthosts"), "the other does not count then");
    put("authrelay", "2\n");
    ok(!strcmp(decide(&c, "any@back.test"), "unread"), "a setting that cannot be read");
}

int
main(void)
{
    char home[] = "/tmp/pneu-relay.XXXXXX";

    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("control", 0700) == -1 || mkdir("control/domain", 0700) == -1 ||
        mkdir("control/domain/box.test", 0700) == -1)
        return 111;
    unsetenv("PNEU_SERVER");
    put("me", "mx.pneu.test\n");
    put("rcpthosts", "# ours\n\nback.test\n .below.test \n");
    put("morercpthosts", "more.test\n");
    put("groups", "staff:ann\nstaff:bob\n:ann\n");
    test_clients();
    test_logins();
    test_server();
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
