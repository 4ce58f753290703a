/* smtpd/delegate.c: requests to, and actions of, policy servers; where they listen. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/delegate.h"
#include "tests/tap.h"

static struct {
    char const *text;
    int family; /* 0: no address */
    unsigned int port;
} const addresses[] = {
    {"unix:/run/postgrey", AF_UNIX, 0},
    {"unix:", 0, 0},
    {"unix:/"
     "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
     "3456789012345",
     0, 0},
    {"inet:127.0.0.1:10023", AF_INET, 10023},
    {"inet:localhost:1", AF_INET, 1},
    {"inet:[::1]:10023", AF_INET6, 10023},
    {"inet:::1:10023", 0, 0},
    {"inet:127.0.0.1", 0, 0},
    {"inet:127.0.0.1:0", 0, 0},
    {"inet:127.0.0.1:65536", 0, 0},
    {"inet:127.0.0.1:", 0, 0},
    {"inet::1", 0, 0},
    {"inet:example.org:1", 0, 0},
    {"inet:[::1:1", 0, 0},
    {"inet:[]:1", 0, 0},
    {"/run/postgrey", 0, 0},
    {"", 0, 0},
};

static void
test_addresses(void)
{
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct delegate_address a;
        int got = delegate_address_scan(addresses[i].text, &a);
        struct sockaddr_in *four = (struct sockaddr_in *)&a.name;
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a.name;
        unsigned int port = !got                           ? 0
                            : a.name.ss_family == AF_INET  ? ntohs(four->sin_port)
                            : a.name.ss_family == AF_INET6 ? ntohs(six->sin6_port)
                                                           : 0;
        ok(got == (addresses[i].family != 0) && (!got || a.name.ss_family == addresses[i].family) &&
               port == addresses[i].port,
           "address %.40s", addresses[i].text);
    }
}

static struct {
    char const *reply;
    int exit; /* OK is 99 here */
    char const *text, *field, *note;
} const actions[] = {
    {"action=DUNNO\n\n", 0, "", "", ""},
    {"action=dunno\n\n", 0, "", "", ""},
    {"action=DUNNO because\n\n", 0, "", "", ""},
    {"action=OK\n\n", 99, "", "", ""},
    {"action=permit\n\n", 99, "", "", ""},
    {"action=1\n\n", 99, "", "", ""},
    {"action=250\n\n", 99, "", "", ""},
    {"action=REJECT\n\n", 100, "554 \n", "", ""},
    {"action=REJECT 5.7.23 no SPF\n\n", 100, "554 5.7.23 no SPF\n", "", ""},
    {"action=550 5.7.1 no\n\n", 100, "550 5.7.1 no\n", "", ""},
    {"action=521\n\n", 100, "521\n", "", ""},
    {"action=450 4.7.1 wait\n\n", 111, "450 4.7.1 wait\n", "", ""},
    {"action=DEFER\n\n", 111, "450 \n", "", ""},
    {"action=DEFER_IF_PERMIT 4.2.0 Greylisted\n\n", 111, "450 4.2.0 Greylisted\n", "", ""},
    {"action=defer_if_reject later\n\n", 0, "", "", ""},
    {"action=PREPEND X-Greylist: delayed 5 seconds\n\n", 0, "", "X-Greylist: delayed 5 seconds\n", ""},
    {"action=WARN strange\n\n", 0, "", "", "strange\n"},
    {"action=INFO plain\n\n", 0, "", "", "plain\n"},
    {"x=y\naction=OK\nz=1\n\n", 99, "", "", ""},
    {"x=y\n\naction=OK\n\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "", "not understood: \n"},
    {"\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "", "not understood: \n"},
    {"", 111, "451 4.3.5 the policy of this server cannot be applied\n", "", "not understood: \n"},
    {"action=\n\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "", "not understood: \n"},
    {"action=HOLD\n\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "", "not understood: HOLD\n"},
    {"action=DISCARD\n\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "",
     "not understood: DISCARD\n"},
    {"action=reject_unknown_client\n\n", 111, "451 4.3.5 the policy of this server cannot be applied\n", "",
     "not understood: reject_unknown_client\n"},
};

static int
same(stralloc const *s, char const *want)
{
    return s->len == strlen(want) && (!s->len || !memcmp(s->s, want, s->len));
}

static void
test_actions(void)
{
    struct delegate_action a = {.text = STRALLOC_ZERO};

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        int got = delegate_action_scan((struct bytes){actions[i].reply, strlen(actions[i].reply)}, 99, &a);
        ok(got && a.exit == actions[i].exit && same(&a.text, actions[i].text) && same(&a.field, actions[i].field) &&
               same(&a.note, actions[i].note),
           "action %zu: %.*s", i, (int)strcspn(actions[i].reply, "\n"), actions[i].reply);
    }
    ok(delegate_reply_ends((struct bytes){"\n", 1}), "an empty reply ends");
    ok(delegate_reply_ends((struct bytes){"a=b\n\n", 5}), "an empty line ends it");
    ok(!delegate_reply_ends((struct bytes){"a=b\n", 4}), "one newline does not");
    ok(!delegate_reply_ends((struct bytes){"", 0}), "nothing does not");
}

static struct {
    char const *name, *value, *line;
} const variables[] = {
    {"PNEU_PHASE", "connectcheck", "\nprotocol_state=CONNECT\n"},
    {"PNEU_PHASE", "helocheck", "\nprotocol_state=EHLO\n"},
    {"PNEU_PHASE", "mailcheck", "\nprotocol_state=MAIL\n"},
    {"PNEU_PHASE", "rcptcheck", "\nprotocol_state=RCPT\n"},
    {"PNEU_PHASE", "datacheck", "\nprotocol_state=END-OF-MESSAGE\n"},
    {"PNEU_RECIPIENTS", "3", "\nrecipient_count=3\n"},
    {"PNEU_PHASE", "rcptcheck", "\nrecipient_count=0\n"},
    {"PNEU_SENDER", "a b\nrecipient=c", "\nsender=a b?recipient=c\n"},
    {"PNEU_RECIPIENT", "x@y", "\nrecipient=x@y\n"},
    {"PNEU_HOST", "h.example", "\nclient_name=unknown\nreverse_client_name=h.example\n"},
    {"PNEU_RDNS", "unverified", "\nclient_name=unknown\n"},
    {"PNEU_RDNS", "ok", "\nclient_name=h.example\nreverse_client_name=h.example\n"},
    {"PNEU_SIZE", "77", "\nsize=77\n"},
    {"PNEU_LOGIN", "joe", "\nsasl_username=joe\n"},
    {"PNEU_PROTOCOL", "SMTP", "\nprotocol_name=SMTP\n"},
    {"PNEU_PHASE", "helocheck", "\nprotocol_state=HELO\n"},
};

static void
test_requests(void)
{
    stralloc to = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        setenv(variables[i].name, variables[i].value, 1);
        to.len = 0;
        int made = delegate_request(&to) && stralloc_0(&to);
        ok(made && !strncmp(to.s, "request=smtpd_access_policy\n", 28) && strstr(to.s, variables[i].line) &&
               delegate_reply_ends((struct bytes){to.s, to.len - 1}) && strstr(to.s, "\n\n") == to.s + to.len - 3,
           "request %zu, with %s", i, variables[i].name);
    }
    stralloc_free(&to);
}

int
main(void)
{
    clearenv();
    test_addresses();
    test_actions();
    test_requests();
    return tap_done();
}
