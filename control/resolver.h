/* The resolvers to ask. */

#ifndef PNEU_CONTROL_RESOLVER_H
#define PNEU_CONTROL_RESOLVER_H

#include "lib/dns.h"

/* Those of the setting `nameserver`, else those of /etc/resolv.conf. Returns 1, or 0 with errno. */
extern int resolver_find(struct dns *);

#endif
