#include "smtpd/received.h"

#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/date.h"
#include "lib/ip.h"

#define FOR_MAX 500 /* a longer recipient would make the line longer than 998 bytes */
#define HELO_MAX 255
#define TLS_MAX 60

static int
put(stralloc *to, char const *s)
{
    return stralloc_catb(to, s, strlen(s));
}

/* What the client calls itself, if it is a name; else with '?' for what could end a word, a comment or the field. */
static int
put_helo(stralloc *to, struct bytes helo)
{
    size_t at = to->len;

    if (helo.len > HELO_MAX)
        helo.len = HELO_MAX;
    if (!stralloc_catb(to, helo.s, helo.len))
        return 0;
    if (addr_domain(helo.s, helo.len, 0) || addr_literal(helo.s, helo.len))
        return 1;
    for (; at < to->len; at++)
        if (to->s[at] < 33 || to->s[at] > 126 || strchr("()<>@,;\\\"", to->s[at]))
            to->s[at] = '?';
    return 1;
}

/* Is the name it gives itself the verified name of its address, or that address? */
static int
is_itself(struct bytes helo, struct peer const *peer)
{
    struct ip said, ip;

    if (!strcmp(peer->rdns, "ok") && peer->host && strlen(peer->host) == helo.len &&
        !strncasecmp(peer->host, helo.s, helo.len))
        return 1;
    return ip_scan_literal(helo.s, helo.len, &said) && ip_scan(peer->ip, strlen(peer->ip), &ip) && ip_same(&said, &ip);
}

static int
put_rdns(stralloc *to, struct bytes helo, struct peer const *peer)
{
    if (!peer->rdns)
        return 1;
    if (!strcmp(peer->rdns, "failed"))
        return put(to, " RDNS failed");
    return is_itself(helo, peer) || put(to, " unverified");
}

static int
put_peer(stralloc *to, struct peer const *peer)
{
    if (peer->host && !(put(to, peer->host) && put(to, " ")))
        return 0;
    if (!peer->ip[0])
        return put(to, "unknown");
    return put(to, strchr(peer->ip, ':') ? "[IPv6:" : "[") && put(to, peer->ip) && put(to, "]");
}

static int
put_for(stralloc *to, struct bytes recipient)
{
    size_t before = to->len;

    if (!recipient.len || recipient.len > FOR_MAX)
        return 1;
    if (!put(to, "\n\tfor <") || !addr_quote(to, recipient.s, recipient.len)) {
        to->len = before;
        return 1;
    }
    return put(to, ">");
}

/* " (TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256)": the names of protocols and suites, and of nothing else. */
static int
put_tls(stralloc *to, struct peer_tls const *tls)
{
    size_t at;

    if (!tls || !tls->protocol)
        return 1;
    if (!put(to, " ("))
        return 0;
    at = to->len;
    if (!stralloc_catb(to, tls->protocol, strnlen(tls->protocol, TLS_MAX)) ||
        (tls->cipher && !(put(to, " ") && stralloc_catb(to, tls->cipher, strnlen(tls->cipher, TLS_MAX)))))
        return 0;
    for (; at < to->len; at++)
        if (to->s[at] < 32 || to->s[at] > 126 || strchr("()\\", to->s[at]))
            to->s[at] = '?';
    return put(to, ")");
}

static int
put_client(stralloc *to, struct received const *r)
{
    return put(to, "from ") && put_helo(to, r->helo) && put(to, " (") && put_peer(to, r->peer) &&
           put_rdns(to, r->helo, r->peer) && put(to, ")\n\t");
}

int
received_put(stralloc *to, struct received const *r)
{
    char date[DATE_SIZE];

    date_fmt(date, r->now, 0);
    return put(to, "Received: ") && (r->hidden || put_client(to, r)) && put(to, "by ") && put(to, r->me) &&
           put(to, " (pneu) with ") && put(to, r->with) && put_tls(to, r->tls) && put_for(to, r->recipient) &&
           put(to, ";\n\t") && put(to, date) && put(to, "\n");
}
