/* XCLIENT, Postfix's: a proxy says who its client is. The session is over with it: a fresh pneu-smtpd, behind pneu-access,
 * greets the client by its own name, address and login, and knows nothing of what the proxy said or was. */

#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

#include "lib/addr.h"
#include "lib/ip.h"
#include "lib/sasl.h"
#include "lib/xtext.h"
#include "smtpd/session_inner.h"

/* A variable of the new session; NULL takes it away. */
static int
set(struct session *s, char const *name, char const *value)
{
    return stralloc_cats(&s->environment, name) &&
           (!value || (stralloc_append(&s->environment, '=') && stralloc_cats(&s->environment, value))) &&
           stralloc_0(&s->environment);
}

/* Each takes a decoded, NUL-terminated value; NULL: the proxy does not know it, `temporary`: now. Returns 1, 0 if the
 * value is none, -1 without memory. */
#define CHECK(condition)                                                                                               \
    if (!(condition))                                                                                                  \
    return 0
#define SET(name, value) (set(s, name, value) ? 1 : -1)

static int
take_name(struct session *s, char const *value, int temporary)
{
    CHECK(!value || addr_domain(value, strlen(value), 0));
    return set(s, "TCPREMOTEHOST", value) ? SET("PNEU_RDNS", value ? "ok" : temporary ? "later" : "failed") : -1;
}

static int
take_ip(struct session *s, char const *name, char const *value)
{
    static char const tag[] = "IPV6:";
    size_t skip = value && !strncasecmp(value, tag, sizeof tag - 1) ? sizeof tag - 1 : 0;
    char text[IP_FMT + 1];
    struct ip ip;

    if (!value)
        return SET(name, NULL);
    CHECK(ip_scan(value + skip, strlen(value + skip), &ip) && (skip || !ip.is6));
    text[ip_fmt(text, &ip)] = 0;
    return SET(name, text);
}

static int
take_addr(struct session *s, char const *value, int temporary)
{
    int got = take_ip(s, "TCPREMOTEIP", value);

    return got == 1 && value ? SET("PNEU_PROXY", "client") : got;
}

static int
take_port(struct session *s, char const *name, char const *value)
{
    uint16_t port;

    CHECK(!value || uint160_scan(value, &port));
    return SET(name, value);
}

static int
take_remoteport(struct session *s, char const *value, int temporary)
{
    return take_port(s, "TCPREMOTEPORT", value);
}

static int
take_localport(struct session *s, char const *value, int temporary)
{
    return take_port(s, "TCPLOCALPORT", value);
}

static int
take_localip(struct session *s, char const *value, int temporary)
{
    return take_ip(s, "TCPLOCALIP", value);
}

/* It is told to us again, by EHLO; this one is only looked at. */
static int
take_helo(struct session *s, char const *value, int temporary)
{
    return 1;
}

static int
take_proto(struct session *s, char const *value, int temporary)
{
    CHECK(!value || !strcasecmp(value, "SMTP") || !strcasecmp(value, "ESMTP"));
    return 1;
}

static int
take_login(struct session *s, char const *value, int temporary)
{
    CHECK(!value || !*value || sasl_login((struct bytes){value, strlen(value)}));
    return SET("PNEU_LOGIN", value && *value ? value : NULL);
}

static struct {
    char const *name;
    int (*take)(struct session *, char const *value, int temporary);
} const attributes[] = {
    {"NAME", take_name}, {"ADDR", take_addr},   {"PORT", take_remoteport},  {"PROTO", take_proto},
    {"HELO", take_helo}, {"LOGIN", take_login}, {"DESTADDR", take_localip}, {"DESTPORT", take_localport},
};

/* One "NAME=xtext". Returns as they do. */
static int
take_attribute(struct session *s, struct bytes word)
{
    char const *equals = memchr(word.s, '=', word.len);
    size_t name = equals ? (size_t)(equals - word.s) : word.len;
    struct bytes value;

    CHECK(equals);
    value = (struct bytes){equals + 1, word.len - name - 1};
    CHECK(xtext_valid(value.s, value.len));
    for (unsigned int i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (strlen(attributes[i].name) != name || strncasecmp(attributes[i].name, word.s, name) != 0)
            continue;
        CHECK(!(s->xclient & 1u << i));
        s->xclient |= 1u << i;
        s->scratch.len = 0;
        if (!xtext_get(&s->scratch, value.s, value.len) || !stralloc_0(&s->scratch))
            return -1;
        int temporary = !strcasecmp(s->scratch.s, "[TEMPUNAVAIL]");
        int unknown = temporary || !strcasecmp(s->scratch.s, "[UNAVAILABLE]");
        return attributes[i].take(s, unknown ? NULL : s->scratch.s, temporary);
    }
    return 0;
}

/* What was said and found out of the proxy is not true of its client. A client whose address is not told may no more than
 * any other of those. */
static int
forget_proxy(struct session *s)
{
    static char const *const variables[] = {"TCP6REMOTEIP",  "TCP6REMOTEHOST",   "TCP6REMOTEINFO", "TCPREMOTEHOST",
                                            "TCPREMOTEINFO", "TCPREMOTEIP",      "TCPREMOTEPORT",  "RELAYCLIENT",
                                            "PNEU_RDNS",     "PNEU_ACCESS_RULE", "PNEU_REFUSE",    "PNEU_LOGIN"};

    s->environment.len = 0;
    for (unsigned int i = 0; i < sizeof variables / sizeof *variables; i++)
        if (!set(s, variables[i], NULL))
            return 0;
    return set(s, "PROTO", "TCP") && set(s, "PNEU_XCLIENT", "1") && set(s, "PNEU_PROXY", "unknown");
}

static int
take_attributes(struct session *s, struct bytes arg)
{
    int got = forget_proxy(s) ? 1 : -1;

    s->xclient = 0;
    while (got == 1 && arg.len) {
        char const *blank = memchr(arg.s, ' ', arg.len);
        struct bytes word = {arg.s, blank ? (size_t)(blank - arg.s) : arg.len};
        got = take_attribute(s, word);
        arg.s += word.len;
        arg.len -= word.len;
        while (arg.len && *arg.s == ' ') {
            arg.s++;
            arg.len--;
        }
    }
    return got;
}

static void
log_client(struct session *s, struct bytes arg)
{
    struct log l;

    session_log_line(s, &l, "xclient");
    log_bytes(&l, "said", arg.s, arg.len);
    s->queue->log(&l);
}

void
session_xclient(struct session *s, struct bytes arg)
{
    static char const *const programs[] = {"pneu-access", "-k", "pneu-smtpd", NULL};

    if (!s->may_xclient) {
        session_reply(s, "550 5.7.0 you may not say who you are");
        return;
    }
    if (s->has_sender || s->chunked) {
        session_reply(s, "503 5.5.1 a message has begun");
        return;
    }
    int got = take_attributes(s, arg);
    if (got == 1 && s->more)
        session_hangup(s, "421 4.5.0 you did not wait for the answer to XCLIENT", "early");
    else if (got == 1) {
        log_client(s, arg);
        session_hangup(s, NULL, NULL);
        s->become = programs;
    } else if (got)
        session_nomemory(s);
    else
        session_reply(s, "501 5.5.4 malformed attributes");
}
