#include "remote/targets.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <skalibs/types.h>

#include "control/control.h"
#include "lib/addr.h"

#define SMTP_PORT 25

/* ---- control/smtproutes ---- */

/* "host", "host:port", "[address]:port", ":port", "". */
static int
scan_route(char const *value, struct smtproute *route)
{
    char const *end = *value == '[' ? strchr(value, ']') : strchr(value, ':');
    char const *port;
    size_t len = end ? (size_t)(end - value) : strlen(value);

    if (*value == '[') {
        if (!end || !ip_scan_literal(value, ++len, &route->ip))
            return 0;
        route->literal = 1;
    }
    port = value + len;
    if (len >= DNS_NAME || (!route->literal && len && !addr_domain(value, len, 0)))
        return 0;
    memcpy(route->host, value, len);
    route->host[len] = 0;
    if (!route->literal)
        route->literal = ip_scan(value, len, &route->ip);
    return !*port || (*port == ':' && uint160_scan(port + 1, &route->port) && route->port);
}

int
targets_route(stralloc const *smtproutes, char const *domain, size_t len, struct smtproute *route)
{
    char const *value = control_value(smtproutes, domain, len);

    memset(route, 0, sizeof *route);
    route->port = SMTP_PORT;
    for (size_t i = 1; !value && i < len; i++)
        if (domain[i] == '.')
            value = control_value(smtproutes, domain + i, len - i);
    if (!value)
        value = control_value(smtproutes, "", 0);
    if (!value)
        return 0;
    return scan_route(value, route) ? 1 : (errno = EPROTO, -1);
}

/* ---- finding addresses ---- */

struct finding {
    struct dns *dns;
    char const *domain; /* NUL-terminated, no dot at the end */
    struct targets_question const *how;
    struct targets *to;
    struct verdict *why;
    uint16_t port;
    int own_is_good; /* smtproutes named the host */
};

static int
fail(struct finding *f, char class, char const *code, char const *a, char const *b)
{
    verdict_say(f->why, class, code, a, b, 0);
    return 0;
}

static int
fail_dns(struct finding *f, char const *name)
{
    return fail(f, 'Z', "4.4.3", "no answer from DNS for ", name);
}

static void
add(struct finding *f, char const *name, struct ip const *ip)
{
    struct target *t = f->to->list + f->to->count;

    if (f->to->count == TARGETS_MAX)
        return;
    for (unsigned int i = 0; i < f->to->count; i++)
        if (ip_same(&f->to->list[i].ip, ip))
            return;
    strcpy(t->name, name);
    t->ip = *ip;
    t->port = f->port;
    f->to->count++;
}

static int
is_ours(struct finding const *f, struct ip const *ip)
{
    return !f->own_is_good && !f->how->loopback && (ip_isloopback(ip) || ip_isin(f->how->own, ip));
}

static int
is_me(struct finding const *f, char const *name)
{
    return !f->own_is_good && !f->how->loopback && !strcasecmp(name, f->how->me);
}

/* A host and the two questions for its addresses. */
struct host {
    struct dns_mx mx;
    struct dns_question *q;
    int ours;
};

/* All addresses of the hosts are asked for at once. */
static int
ask_hosts(struct finding *f, struct host *hosts, unsigned int n, struct dns_question q[static 2 * DNS_MX])
{
    for (unsigned int i = 0; i < n; i++) {
        q[2 * i] = (struct dns_question)DNS_QUESTION(hosts[i].mx.name, DNS_TYPE_A);
        q[2 * i + 1] = (struct dns_question)DNS_QUESTION(hosts[i].mx.name, DNS_TYPE_AAAA);
        hosts[i].q = q + 2 * i;
    }
    return dns_ask(f->dns, q, 2 * n, f->how->deadline) ? 1 : fail_dns(f, f->domain);
}

/* Looks whether a host is this one, by name or by any of its addresses. */
static void
look(struct finding const *f, struct host *h)
{
    struct ip ips[DNS_ADDRESSES];

    h->ours = is_me(f, h->mx.name);
    for (unsigned int which = 0; which < 2 && !h->ours; which++) {
        unsigned int n = dns_addresses(h->q + which, ips, DNS_ADDRESSES);
        for (unsigned int i = 0; i < n && !h->ours; i++)
            h->ours = is_ours(f, ips + i);
    }
}

/* The hosts nearer than ourselves: RFC 5321 section 5.1 wants the others dropped, or the message would come back. */
static unsigned int
cut(struct finding const *f, struct host *hosts, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        look(f, hosts + i);
        if (!hosts[i].ours)
            continue;
        while (i && hosts[i - 1].mx.preference == hosts[i].mx.preference)
            i--;
        return i;
    }
    return n;
}

static void
add_host(struct finding *f, struct host const *h)
{
    struct ip ips[DNS_ADDRESSES];

    for (unsigned int which = 0; which < 2; which++) {
        unsigned int n = dns_addresses(h->q + which, ips, DNS_ADDRESSES);
        for (unsigned int i = 0; i < n; i++)
            add(f, h->mx.name, ips + i);
    }
}

/* The addresses of these hosts, in their order. `none` says, with its code, that no host has any. */
static int
find_hosts(struct finding *f, struct host *hosts, unsigned int n, char const *code, char const *none)
{
    struct dns_question q[2 * DNS_MX];
    int unknown = 0;
    int good = ask_hosts(f, hosts, n, q);
    unsigned int nearer = good ? cut(f, hosts, n) : 0;

    for (unsigned int i = 0; i < nearer; i++)
        add_host(f, hosts + i);
    for (unsigned int i = 0; good && i < 2 * n; i++)
        unknown |= q[i].status == DNS_FAILED;
    dns_free(q, good ? 2 * n : 0);
    if (!good || f->to->count)
        return good;
    if (unknown)
        return fail_dns(f, f->domain);
    if (nearer < n)
        return fail(f, 'D', "5.4.6", "mail for this domain loops back to this host: ", f->domain);
    return fail(f, 'D', code, none, f->domain);
}

static void
set_site(struct targets *to, char const *name)
{
    size_t i = 0;

    for (; name[i] && i + 1 < sizeof to->site; i++)
        to->site[i] = (char)tolower((unsigned char)name[i]);
    to->site[i] = 0;
}

static int
find_host(struct finding *f, char const *name, char const *code, char const *none)
{
    struct host h = {0};

    strcpy(h.mx.name, name);
    if (!f->own_is_good) /* a way that the operator chose is no property of the domain */
        set_site(f->to, name);
    return find_hosts(f, &h, 1, code, none);
}

int
targets_shuffle(struct dns_mx *mx, unsigned int n)
{
    uint32_t random[DNS_MX];
    struct dns_mx one;

    if (n > DNS_MX || getrandom(random, sizeof *random * n, 0) != (ssize_t)(sizeof *random * n))
        return 0;
    for (unsigned int begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && mx[end].preference == mx[begin].preference)
            end++;
        for (unsigned int left = end - begin; left > 1; left--) {
            unsigned int other = begin + random[begin + left - 1] % left;
            one = mx[other];
            mx[other] = mx[begin + left - 1];
            mx[begin + left - 1] = one;
        }
    }
    return 1;
}

/* The MX records of the domain, sorted. Returns their number; 0 there are none; -1: *why. */
static int
ask_mx(struct finding *f, struct dns_mx mx[static DNS_MX])
{
    struct dns_question q = DNS_QUESTION(f->domain, DNS_TYPE_MX);
    int n = 0;

    if (!dns_ask(f->dns, &q, 1, f->how->deadline) || q.status == DNS_FAILED)
        n = fail_dns(f, f->domain) - 1;
    else if (q.status == DNS_NXDOMAIN)
        n = fail(f, 'D', "5.1.2", "no such domain: ", f->domain) - 1;
    else if (q.status == DNS_FOUND) {
        n = (int)dns_mx(&q, mx, DNS_MX);
        if (n == 1 && mx->null) /* RFC 7505 */
            n = fail(f, 'D', "5.1.10", "this domain takes no mail: ", f->domain) - 1;
        else if (!targets_shuffle(mx, (unsigned int)n))
            n = fail_dns(f, f->domain) - 1;
    }
    dns_free(&q, 1);
    return n;
}

static int
find_mx(struct finding *f)
{
    struct dns_mx mx[DNS_MX];
    struct host hosts[DNS_MX] = {0};
    int n = ask_mx(f, mx);

    if (n == -1)
        return 0;
    if (!n)
        return find_host(f, f->domain, "5.1.2", "this domain has neither MX nor address: ");
    /* Of hosts that are equally good the first by name: in any order it is the same. */
    for (int i = 0; i < n; i++) {
        hosts[i].mx = mx[i];
        if (mx[i].preference == mx->preference && (!i || strcasecmp(mx[i].name, f->to->site) < 0))
            set_site(f->to, mx[i].name);
    }
    return find_hosts(f, hosts, (unsigned int)n, "5.4.4", "no MX of this domain has an address: ");
}

static int
find_literal(struct finding *f, struct ip const *ip)
{
    if (is_ours(f, ip))
        return fail(f, 'D', "5.4.6", "this host sends no mail to itself: ", f->domain);
    add(f, "", ip);
    return 1;
}

int
targets_host(struct dns *dns, char const *host, struct targets_question const *how, struct targets *to,
             struct verdict *why)
{
    struct finding f = {.dns = dns, .domain = host, .how = how, .to = to, .why = why, .own_is_good = 1};
    struct smtproute route = {.port = SMTP_PORT};

    to->count = 0;
    *to->site = 0;
    if (!scan_route(host, &route) || !*route.host)
        return fail(&f, 'Z', "4.3.5", "no proper host: ", host);
    f.port = route.port;
    if (route.literal)
        return find_literal(&f, &route.ip);
    f.domain = route.host;
    return find_host(&f, route.host, "4.4.4", "this host does not exist: ");
}

int
targets_find(struct dns *dns, char const *domain, size_t len, struct targets_question const *how, struct targets *to,
             struct verdict *why)
{
    char name[ADDR_DOMAIN_MAX + 1];
    struct finding f = {.dns = dns, .domain = name, .how = how, .to = to, .why = why};
    struct smtproute route;
    struct ip ip;

    to->count = 0;
    *to->site = 0;
    if (!len || len > ADDR_DOMAIN_MAX || memchr(domain, 0, len))
        return fail(&f, 'D', "5.1.2", "an address without a domain, or with one that cannot be", 0);
    memcpy(name, domain, len);
    name[len] = 0;
    if (targets_route(how->smtproutes, domain, len, &route) == -1)
        return fail(&f, 'Z', "4.3.5", "control/smtproutes has no proper host for ", name);
    f.port = route.port;
    f.own_is_good = *route.host != 0;
    if (route.literal)
        return find_literal(&f, &route.ip);
    if (*route.host)
        return find_host(&f, route.host, "5.4.4",
                         "the host that control/smtproutes has for this domain does not exist: ");
    if (ip_scan_literal(name, len, &ip))
        return find_literal(&f, &ip);
    if (!addr_domain(name, len, 0))
        return fail(&f, 'D', "5.1.2", "not a host name: ", name);
    return find_mx(&f);
}
