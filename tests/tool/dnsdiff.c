/* lib/dns against libresolv: dnsdiff PORT NAME...    asks both for MX, A and AAAA of each name, at 127.0.0.1
 * Waits until the server answers. Prints what differs, exits 1 then. */

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include "lib/dns.h"

#define LINES 2000

struct list {
    char line[LINES][300];
    int n;
};

static int
by_text(void const *a, void const *b)
{
    return strcasecmp(a, b);
}

static void
ours(struct dns *d, char const *name, int type, struct list *l)
{
    struct dns_question q = DNS_QUESTION(name, (uint16_t)type);
    static char const *const words[] = {"found", "no data", "no name", "failed"};
    static struct dns_mx mx[DNS_MX];
    struct ip ips[DNS_ADDRESSES];
    tain deadline;

    tain_now_g();
    tain_addsec_g(&deadline, 60);
    dns_ask(d, &q, 1, &deadline);
    l->n = 0;
    if (q.status != DNS_FOUND)
        strcpy(l->line[l->n++], words[q.status]);
    else if (type == DNS_TYPE_MX)
        for (int n = (int)dns_mx(&q, mx, DNS_MX); l->n < n; l->n++)
            snprintf(l->line[l->n], 300, "%u %s", mx[l->n].preference, mx[l->n].name);
    else
        for (int n = (int)dns_addresses(&q, ips, DNS_ADDRESSES); l->n < n; l->n++)
            l->line[l->n][ip_fmt(l->line[l->n], ips + l->n)] = 0;
    dns_free(&q, 1);
    qsort(l->line, (size_t)l->n, sizeof *l->line, by_text);
}

static void
record(ns_msg *m, ns_rr const *rr, char *to)
{
    char name[NS_MAXDNAME] = "";

    if (ns_rr_type(*rr) == ns_t_mx) {
        dn_expand(ns_msg_base(*m), ns_msg_end(*m), ns_rr_rdata(*rr) + 2, name, sizeof name);
        snprintf(to, 300, "%u %.255s", ns_get16(ns_rr_rdata(*rr)), name);
    } else
        inet_ntop(ns_rr_type(*rr) == ns_t_a ? AF_INET : AF_INET6, ns_rr_rdata(*rr), to, 300);
}

static void
theirs(res_state state, char const *name, int type, struct list *l)
{
    static unsigned char answer[65536];
    ns_msg m;
    ns_rr rr;
    int n = res_nquery(state, name, ns_c_in, type, answer, sizeof answer);

    l->n = 0;
    if (n < 0)
        strcpy(l->line[l->n++], state->res_h_errno == HOST_NOT_FOUND ? "no name"
                                : state->res_h_errno == NO_DATA      ? "no data"
                                                                     : "failed");
    else if (ns_initparse(answer, n, &m) == 0)
        for (int i = 0; i < ns_msg_count(m, ns_s_an) && l->n < LINES; i++)
            if (ns_parserr(&m, ns_s_an, i, &rr) == 0 && (int)ns_rr_type(rr) == type)
                record(&m, &rr, l->line[l->n++]);
    /* libresolv says that there is no data where only the alias is */
    if (!l->n)
        strcpy(l->line[l->n++], "no data");
    qsort(l->line, (size_t)l->n, sizeof *l->line, by_text);
}

int
main(int argc, char **argv)
{
    static struct list a, b;
    static int const types[] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
    struct __res_state state;
    struct dns d = {.count = 0};
    char text[32];
    int bad = 0;

    if (argc < 3)
        return 100;
    tain_now_set_stopwatch_g();
    memset(&state, 0, sizeof state);
    res_ninit(&state);
    state.nscount = 1;
    state.nsaddr_list[0] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    state.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(text, sizeof text, "127.0.0.1:%s", argv[1]);
    if (!dns_server(&d, text, strlen(text)))
        return 100;
    for (int i = 0; i < 1000; i++, usleep(20000)) {
        ours(&d, argv[2], DNS_TYPE_MX, &a);
        if (strcmp(a.line[0], "failed"))
            break;
    }
    for (char **name = argv + 2; *name; name++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            ours(&d, *name, types[t], &a);
            theirs(&state, *name, types[t], &b);
            /* more than 16 are more than we take */
            int same = a.n == b.n || (a.n == DNS_MX && b.n > a.n);
            for (int i = 0; same && a.n == b.n && i < a.n; i++)
                same = !strcasecmp(a.line[i], b.line[i]);
            if (!same) {
                printf("%s type %d: %d '%s' here, %d '%s' there\n", *name, types[t], a.n, a.line[0], b.n, b.line[0]);
                bad = 1;
            }
        }
    return bad;
}
