#include "access/admit.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <skalibs/strerr.h>
#include <skalibs/tai.h>

#include "access/aside.h"
#include "control/control.h"
#include "control/resolver.h"
#include "lib/addr.h"
#include "lib/ucspi.h"

int
admit_settings(struct admit *a, char const **which)
{
    static char const *const words[] = {"no", "mark", "require"};
    stralloc word = STRALLOC_ZERO;
    unsigned int i = 0;

    *which = control_path(SET_rdns);
    if (control_line(SET_rdns, &word) != 1)
        return 0;
    while (i < 3 && strcmp(word.s, words[i]) != 0)
        i++;
    stralloc_free(&word);
    if (i == 3)
        return (errno = EPROTO, 0);
    a->lookup = i;
    if (i == ADMIT_NO)
        return 1;
    *which = control_path(SET_timeoutdns);
    if (!control_uint(SET_timeoutdns, &a->timeout))
        return 0;
    *which = "control/nameserver or /etc/resolv.conf";
    return resolver_find(&a->dns);
}

int
admit_find(struct admit *a, char const **which)
{
    static char const *const names[] = {"/access", "/access.cdb"};
    char const *server = getenv("PNEU_SERVER");
    int has_folder = server && *server && *server != '.' && !strchr(server, '/');
    struct stat st;

    for (unsigned int i = has_folder ? 0 : 2; i < 4 && !a->path; i++) {
        a->found.len = 0;
        *which = "the rules";
        if (!stralloc_cats(&a->found, i < 2 ? "control/servers/" : "control") ||
            !stralloc_cats(&a->found, i < 2 ? server : "") || !stralloc_cats(&a->found, names[i % 2]) ||
            !stralloc_0(&a->found))
            return 0;
        *which = a->found.s;
        if (stat(a->found.s, &st) == 0) {
            a->path = a->found.s;
            a->cdb = i % 2;
        } else if (errno != ENOENT)
            return 0;
    }
    return 1;
}

/* ---- the name ---- */

static int
find_name(void *record, void *data)
{
    struct admit *a = data;
    tain deadline;

    tain_now_set_stopwatch_g();
    tain_addsec_g(&deadline, (int)a->timeout);
    return aside_confine(1) && rdns_find(record, &a->dns, &a->ip, &deadline);
}

/* The record is a stranger's word: a status, and a host name if there is one. */
void
admit_look_up(struct admit *a)
{
    if (!aside_run(find_name, a, &a->rdns, sizeof a->rdns)) {
        strerr_warnwu1sys("look up the client's name");
        a->rdns.status = RDNS_LATER;
    }
    a->rdns.name[DNS_NAME - 1] = 0;
    if (a->rdns.status != RDNS_OK || !addr_domain(a->rdns.name, strlen(a->rdns.name), 0))
        a->rdns.name[0] = 0;
    if (a->rdns.status > RDNS_LATER || (a->rdns.status == RDNS_OK && !a->rdns.name[0]))
        a->rdns.status = RDNS_UNVERIFIED;
    a->named = 1;
}

void
admit_take_name(struct admit *a)
{
    char const *host = ucspi_get("REMOTEHOST");
    char const *rdns = getenv("PNEU_RDNS");

    if (!rdns)
        return;
    a->named = 1;
    a->rdns.status = !strcmp(rdns, "failed") ? RDNS_FAILED : !strcmp(rdns, "later") ? RDNS_LATER : RDNS_UNVERIFIED;
    if (!strcmp(rdns, "ok") && host && addr_domain(host, strlen(host), 0)) {
        a->rdns.status = RDNS_OK;
        for (size_t i = 0; host[i]; i++) /* as rules are written */
            a->rdns.name[i] = (char)tolower((unsigned char)host[i]);
    }
}

/* ---- what follows ---- */

static int
put(char const *name, char const *value)
{
    return (value ? setenv(name, value, 1) : unsetenv(name)) == 0;
}

static int
tell_name(struct admit const *a)
{
    static char const *const words[] = {
        [RDNS_OK] = "ok", [RDNS_UNVERIFIED] = "unverified", [RDNS_FAILED] = "failed", [RDNS_LATER] = "later"};
    enum rdns_status status = a->rdns.status;

    if (!a->named)
        return put("PNEU_RDNS", NULL);
    if (status == RDNS_LATER && !a->rules.names) /* nothing depends on it */
        status = RDNS_UNVERIFIED;
    return put("PNEU_RDNS", words[status]) && (getenv("PROTO") || put("PROTO", "TCP")) &&
           ucspi_set("REMOTEHOST", a->rdns.name[0] ? a->rdns.name : NULL);
}

static int
tell_rule(struct admit *a)
{
    if (!put("PNEU_ACCESS_RULE", a->rules.rule.len ? a->rules.rule.s : NULL))
        return 0;
    for (size_t at = 0; at < a->rules.env.len;) {
        char *name = a->rules.env.s + at;
        char *equals = strchr(name, '=');
        at += strlen(name) + 1;
        if (equals)
            *equals = 0;
        if (!put(name, equals ? equals + 1 : NULL))
            return 0;
    }
    return 1;
}

int
admit_tell(struct admit *a)
{
    char const *proxied = getenv("PNEU_PROXY");

    if (!tell_name(a) || !tell_rule(a))
        return 0;
    /* What the proxy may do, a client it cannot name may not. */
    return !proxied || strcmp(proxied, "unknown") != 0 || put("RELAYCLIENT", NULL);
}

/* Who may relay is known by other means than a name. */
static char const *
nameless(struct admit const *a)
{
    if (a->lookup != ADMIT_REQUIRE || !a->named || a->rdns.status == RDNS_OK || getenv("RELAYCLIENT"))
        return NULL;
    return a->rdns.status == RDNS_LATER    ? "421 4.7.25 your name cannot be looked up now"
           : a->rdns.status == RDNS_FAILED ? "554 5.7.25 your address has no name"
                                           : "554 5.7.25 the name of your address leads elsewhere";
}

char const *
admit_refusal(struct admit const *a, char reply[static REFUSE_REPLY])
{
    char const *text = getenv("PNEU_REFUSE");

    if (a->path && a->rules.verdict == RULES_NONE && a->rules.names && a->named && a->rdns.status == RDNS_LATER)
        return "421 4.7.1 your name cannot be looked up now";
    if (a->path && a->rules.verdict != RULES_ALLOW) {
        refuse_reply(reply, a->rules.refusal.len ? a->rules.refusal.s : "you may not connect to this server");
        return reply;
    }
    if (text && *text) {
        refuse_reply(reply, text);
        return reply;
    }
    return nameless(a);
}
