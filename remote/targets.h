/* Where the mail of a domain goes: control/smtproutes, an address literal, MX records, or the domain's own addresses. */

#ifndef PNEU_REMOTE_TARGETS_H
#define PNEU_REMOTE_TARGETS_H

#include <stdint.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/dns.h"
#include "remote/delivery.h"
#include "remote/peer.h"

#define TARGETS_MAX 32 /* addresses of one domain that are tried */

struct targets {
    struct target list[TARGETS_MAX];
    unsigned int count;
    char site[DNS_NAME]; /* who serves the domain: the same for all domains of the same mail hosts; empty: not by DNS */
};

/* What control/smtproutes says of a domain. */
struct smtproute {
    char host[DNS_NAME]; /* empty: by MX */
    int literal;         /* host is the address ip */
    struct ip ip;
    uint16_t port;
};

/* Looks a domain up in the table (control_list of smtproutes): itself, then .parent, then the empty key.
 * Returns 1 found, 0 not (*route is then MX and port 25), -1 with EPROTO: its line is malformed. */
extern int targets_route(stralloc const *smtproutes, char const *domain, size_t len, struct smtproute *route);

/* Brings records of equal preference in a random order. They are sorted. Returns 1, or 0 with errno. */
extern int targets_shuffle(struct dns_mx *, unsigned int n);

struct targets_question {
    stralloc const *smtproutes;
    char const *me;      /* an MX of this name is this host; may be empty */
    stralloc const *own; /* addresses of this host (ip_own) */
    int loopback;        /* they are as good as others */
    tain const *deadline;
};

/* The addresses of one host, written as in control/smtproutes ("host:port"), in the place of a domain's. Returns as
 * targets_find. */
extern int targets_host(struct dns *, char const *host, struct targets_question const *, struct targets *,
                        struct verdict *why);

/* Finds them, in the order in which they are tried. Returns 1, or 0: *why says it. */
extern int targets_find(struct dns *, char const *domain, size_t len, struct targets_question const *, struct targets *,
                        struct verdict *why);

#endif
