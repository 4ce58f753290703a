#include "access/rdns.h"

#include <string.h>

/* 1 if it is one of the addresses in that answer. */
static int
holds(struct dns_question const *q, struct ip const *ip)
{
    struct ip all[DNS_ADDRESSES];
    unsigned int n = dns_addresses(q, all, DNS_ADDRESSES);

    for (unsigned int i = 0; i < n; i++)
        if (ip_same(all + i, ip))
            return 1;
    return 0;
}

static void
judge(struct rdns *to, struct dns_question const *q, unsigned int n, struct ip const *ip)
{
    to->status = RDNS_UNVERIFIED;
    for (unsigned int i = 0; i < n; i++) {
        if (q[i].status == DNS_FOUND && holds(q + i, ip)) {
            to->status = RDNS_OK;
            memcpy(to->name, q[i].name, strlen(q[i].name) + 1);
            return;
        }
        if (q[i].status == DNS_FAILED)
            to->status = RDNS_LATER;
    }
}

/* The names, asked for their addresses. */
static int
verify(struct rdns *to, struct dns *dns, char (*names)[DNS_NAME], unsigned int n, struct ip const *ip,
       tain const *deadline)
{
    struct dns_question q[RDNS_NAMES];

    for (unsigned int i = 0; i < n; i++)
        q[i] = (struct dns_question)DNS_QUESTION(names[i], ip->is6 ? DNS_TYPE_AAAA : DNS_TYPE_A);
    if (!dns_ask(dns, q, n, deadline))
        return 0;
    judge(to, q, n, ip);
    dns_free(q, n);
    return 1;
}

int
rdns_find(struct rdns *to, struct dns *dns, struct ip const *ip, tain const *deadline)
{
    char reverse[DNS_REVERSE], names[RDNS_NAMES][DNS_NAME];
    struct dns_question q = DNS_QUESTION(reverse, DNS_TYPE_PTR);

    memset(to, 0, sizeof *to);
    dns_reverse(reverse, ip);
    if (!dns_ask(dns, &q, 1, deadline))
        return 0;
    to->status = q.status == DNS_FOUND ? RDNS_UNVERIFIED : q.status == DNS_FAILED ? RDNS_LATER : RDNS_FAILED;
    unsigned int n = dns_names(&q, names, RDNS_NAMES);
    dns_free(&q, 1);
    return !n || verify(to, dns, names, n, ip, deadline);
}
