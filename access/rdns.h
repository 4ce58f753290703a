/* The name of an address: what DNS calls it (PTR), if that name has the address. */

#ifndef PNEU_ACCESS_RDNS_H
#define PNEU_ACCESS_RDNS_H

#include "lib/dns.h"

#define RDNS_NAMES 8 /* of an address, the others are not looked at */

enum rdns_status {
    RDNS_OK,         /* the name has the address */
    RDNS_UNVERIFIED, /* there are names, none has it */
    RDNS_FAILED,     /* there is no name */
    RDNS_LATER,      /* nobody knows now */
};

struct rdns {
    enum rdns_status status;
    char name[DNS_NAME]; /* if RDNS_OK */
};

/* Looks it up until the deadline. Returns 1, or 0 with errno if nobody could even be asked. */
extern int rdns_find(struct rdns *, struct dns *, struct ip const *, tain const *deadline);

#endif
