/* The packets of lib/dns.h: what goes out, and what an answer says. */

#include "lib/dns.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <arpa/nameser.h>
#include <resolv.h>
#include <skalibs/types.h>

#include "lib/addr.h"
#include "lib/musl.h"

#define PAYLOAD 1232 /* largest answer by UDP: never fragmented (DNS flag day 2020) */

/* Length without a dot at the end, 0 if it is no host name. */
static size_t
host_length(char const *name)
{
    size_t len = strnlen(name, DNS_NAME + 1);

    if (len && name[len - 1] == '.')
        len--;
    return len && len < DNS_NAME && addr_domain(name, len, 0) ? len : 0;
}

size_t
dns_packet(struct dns_question const *q, unsigned char to[static DNS_PACKET])
{
    static unsigned char const opt[11] = {0, 0, ns_t_opt, PAYLOAD >> 8, PAYLOAD & 255, 0, 0, 0, 0, 0, 0};
    struct __res_state state;

    if (!host_length(q->name))
        return 0;
    memset(&state, 0, sizeof state);
    state.options = RES_INIT | RES_RECURSE;
    int len = res_nmkquery(&state, ns_o_query, q->name, ns_c_in, q->type, 0, 0, 0, to, DNS_PACKET - (int)sizeof opt);
    if (len < NS_HFIXEDSZ)
        return 0;
    memcpy(to, q->id, 2);
    if (q->noedns)
        return (size_t)len;
    to[11] = 1; /* one additional record */
    memcpy(to + len, opt, sizeof opt);
    return (size_t)len + sizeof opt;
}

/* ---- answers ---- */

/* A walk over the records that answer a question: those of its type whose owner is its name, or the end of
 * the chain of aliases that begins there. */
struct walk {
    ns_msg msg;
    ns_rr rr;
    char owner[NS_MAXDNAME];
    int next;
    unsigned int type;
};

static int
same_name(char const *a, char const *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);

    n -= n && a[n - 1] == '.';
    m -= m && b[m - 1] == '.';
    return n == m && !strncasecmp(a, b, n);
}

static int
is_of(struct walk const *w, unsigned int type)
{
    return ns_rr_type(w->rr) == type && ns_rr_class(w->rr) == ns_c_in && same_name(ns_rr_name(w->rr), w->owner);
}

/* Looks for an alias of the owner. 1 found: owner is what it leads to; 0 none; -1 damaged. */
static int
follow(struct walk *w)
{
    char to[NS_MAXDNAME];

    for (int i = 0; i < ns_msg_count(w->msg, ns_s_an); i++) {
        if (ns_parserr(&w->msg, ns_s_an, i, &w->rr) == -1)
            return -1;
        if (!is_of(w, ns_t_cname))
            continue;
        int n = dn_expand(ns_msg_base(w->msg), ns_msg_end(w->msg), ns_rr_rdata(w->rr), to, sizeof to);
        if (n == -1 || n != ns_rr_rdlen(w->rr))
            return -1;
        memcpy(w->owner, to, strlen(to) + 1);
        return 1;
    }
    return 0;
}

static int
walk_begin(struct walk *w, struct dns_question const *q, unsigned char const *packet, size_t len)
{
    size_t n = strnlen(q->name, DNS_NAME);

    memset(w, 0, sizeof *w);
    w->type = q->type;
    if (ns_initparse(packet, (int)len, &w->msg) == -1)
        return 0;
    memcpy(w->owner, q->name, n);
    for (unsigned int i = 0; i <= DNS_CNAMES; i++) {
        int got = follow(w);
        if (got != 1)
            return got == 0;
    }
    return 0; /* a longer chain, or a loop */
}

/* 1 the next record, 0 the end, -1 damaged. */
static int
walk_next(struct walk *w)
{
    while (w->next < ns_msg_count(w->msg, ns_s_an)) {
        if (ns_parserr(&w->msg, ns_s_an, w->next++, &w->rr) == -1)
            return -1;
        if (is_of(w, w->type))
            return 1;
    }
    return 0;
}

static int
record_good(struct walk const *w)
{
    char name[NS_MAXDNAME];
    unsigned char const *data = ns_rr_rdata(w->rr);
    int len = ns_rr_rdlen(w->rr);

    switch (w->type) {
    case DNS_TYPE_A:
        return len == 4;
    case DNS_TYPE_AAAA:
        return len == 16;
    case DNS_TYPE_MX:
        return len > 2 && dn_expand(ns_msg_base(w->msg), ns_msg_end(w->msg), data + 2, name, sizeof name) == len - 2;
    case DNS_TYPE_PTR:
        return dn_expand(ns_msg_base(w->msg), ns_msg_end(w->msg), data, name, sizeof name) == len;
    default:
        return 1;
    }
}

/* 1 if its question section is ours. */
static int
echoes(struct dns_question const *q, ns_msg *msg)
{
    ns_rr rr;

    return ns_msg_count(*msg, ns_s_qd) == 1 && ns_parserr(msg, ns_s_qd, 0, &rr) == 0 && ns_rr_type(rr) == q->type &&
           ns_rr_class(rr) == ns_c_in && same_name(ns_rr_name(rr), q->name);
}

static enum dns_status
count_records(struct dns_question const *q, unsigned char const *packet, size_t len, int rcode)
{
    struct walk w;
    unsigned int n = 0;
    int got;

    if (!walk_begin(&w, q, packet, len))
        return DNS_FAILED;
    while ((got = walk_next(&w)) == 1) {
        if (!record_good(&w))
            return DNS_FAILED;
        n++;
    }
    if (got == -1)
        return DNS_FAILED;
    if (n)
        return DNS_FOUND;
    return rcode == ns_r_nxdomain ? DNS_NXDOMAIN : DNS_NODATA;
}

enum dns_status
dns_judge(struct dns_question const *q, unsigned char const *packet, size_t len)
{
    ns_msg msg;

    if (len < NS_HFIXEDSZ || len > NS_MAXMSG || memcmp(packet, q->id, 2) != 0 || !(packet[2] & 0x80) ||
        (packet[2] & 0x78)) /* of another question, no answer, or no plain one */
        return DNS_FOREIGN;
    int rcode = packet[3] & 15;
    /* Old servers answer FORMERR to what they do not know with the header alone. */
    if (rcode == ns_r_formerr && !q->noedns && !packet[4] && !packet[5])
        return DNS_REFUSED;
    /* A cut answer may end anywhere, so its question is all that is asked of it. */
    if (packet[2] & 2) {
        char name[NS_MAXDNAME];
        int n = dn_expand(packet, packet + len, packet + NS_HFIXEDSZ, name, sizeof name);
        return n != -1 && same_name(name, q->name) ? DNS_CUT : DNS_FOREIGN;
    }
    if (ns_initparse(packet, (int)len, &msg) == -1 || !echoes(q, &msg))
        return DNS_FOREIGN;
    if (rcode == ns_r_noerror || rcode == ns_r_nxdomain)
        return count_records(q, packet, len, rcode);
    if ((rcode == ns_r_formerr || rcode == ns_r_notimpl) && !q->noedns)
        return DNS_REFUSED;
    return DNS_FAILED;
}

static int
walk_answer(struct walk *w, struct dns_question const *q)
{
    return q->status == DNS_FOUND && walk_begin(w, q, (unsigned char const *)q->answer.s, q->answer.len);
}

unsigned int
dns_addresses(struct dns_question const *q, struct ip *to, unsigned int max)
{
    struct walk w;
    unsigned int n = 0;

    if (!walk_answer(&w, q))
        return 0;
    while (n < max && walk_next(&w) == 1)
        if (w.type == DNS_TYPE_A)
            ip_from4(to + n++, ns_rr_rdata(w.rr));
        else if (w.type == DNS_TYPE_AAAA)
            ip_from6(to + n++, ns_rr_rdata(w.rr));
    return n;
}

/* The name at those bytes of the record, in lower case; empty if it is no host name. 1 if it is the root. */
static int
read_name(struct walk const *w, unsigned char const *data, char to[static DNS_NAME])
{
    char name[NS_MAXDNAME];

    memset(to, 0, DNS_NAME);
    if (dn_expand(ns_msg_base(w->msg), ns_msg_end(w->msg), data, name, sizeof name) == -1)
        return 0;
    size_t len = host_length(name);
    for (size_t i = 0; i < len; i++)
        to[i] = (char)tolower((unsigned char)name[i]);
    return !*name;
}

void
dns_reverse(char to[static DNS_REVERSE], struct ip const *ip)
{
    static char const hex[] = "0123456789abcdef";
    char *s = to;

    if (!ip->is6) {
        for (unsigned int i = 4; i--; *s++ = '.')
            s += uint_fmt(s, ip->b[i]);
        memcpy(s, "in-addr.arpa", 13);
        return;
    }
    for (unsigned int i = 16; i--; s += 4)
        memcpy(s, (char const[]){hex[ip->b[i] & 15], '.', hex[ip->b[i] >> 4], '.'}, 4);
    memcpy(s, "ip6.arpa", 9);
}

unsigned int
dns_names(struct dns_question const *q, char (*to)[DNS_NAME], unsigned int max)
{
    struct walk w;
    unsigned int n = 0;

    if (!walk_answer(&w, q))
        return 0;
    while (n < max && walk_next(&w) == 1) {
        read_name(&w, ns_rr_rdata(w.rr), to[n]);
        n += *to[n] != 0;
    }
    return n;
}

static void
read_mx(struct walk const *w, struct dns_mx *mx)
{
    unsigned char const *data = ns_rr_rdata(w->rr);

    mx->preference = (uint16_t)(data[0] << 8 | data[1]);
    mx->null = read_name(w, data + 2, mx->name);
}

unsigned int
dns_mx(struct dns_question const *q, struct dns_mx *to, unsigned int max)
{
    struct walk w;
    struct dns_mx mx;
    unsigned int n = 0;

    if (!walk_answer(&w, q))
        return 0;
    while (walk_next(&w) == 1) {
        unsigned int at = n;
        read_mx(&w, &mx);
        while (at && to[at - 1].preference > mx.preference)
            at--;
        if (at == max)
            continue;
        n += n < max;
        memmove(to + at + 1, to + at, (n - at - 1) * sizeof *to);
        to[at] = mx;
    }
    return n;
}
