/* Any packet as the answer to each kind of question: what is found is bounded, and every name a host name. */

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/dns.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
one(struct dns_question *q, unsigned char const *data, size_t size)
{
    struct dns_mx mx[DNS_MX];
    static char names[DNS_MX][DNS_NAME];
    struct ip ips[DNS_ADDRESSES];
    unsigned int n;

    memcpy(q->id, data, 2);
    q->status = dns_judge(q, data, size);
    if (q->status != DNS_FOUND)
        return;
    if (!stralloc_copyb(&q->answer, (char const *)data, size))
        return;
    if (q->type == DNS_TYPE_MX) {
        n = dns_mx(q, mx, DNS_MX);
        if (!n || n > DNS_MX)
            abort();
        for (unsigned int i = 0; i < n; i++)
            if ((*mx[i].name && !addr_domain(mx[i].name, strlen(mx[i].name), 0)) ||
                (i && mx[i].preference < mx[i - 1].preference))
                abort();
    } else if (q->type == DNS_TYPE_PTR) {
        n = dns_names(q, names, DNS_MX);
        for (unsigned int i = 0; i < n; i++)
            if (!addr_domain(names[i], strlen(names[i]), 0))
                abort();
    } else {
        n = dns_addresses(q, ips, DNS_ADDRESSES);
        if (!n || n > DNS_ADDRESSES)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static struct dns_question q[] = {DNS_QUESTION("example.org", DNS_TYPE_A),
                                      DNS_QUESTION("example.org", DNS_TYPE_AAAA),
                                      DNS_QUESTION("example.org", DNS_TYPE_MX), DNS_QUESTION("a", DNS_TYPE_MX),
                                      DNS_QUESTION("1.2.0.192.in-addr.arpa", DNS_TYPE_PTR)};

    if (size < 2 || size > 65535)
        return 0;
    for (unsigned int i = 0; i < sizeof q / sizeof *q; i++)
        one(q + i, data, size);
    return 0;
}
