/* Where an address leads, asked anew at every attempt: to a user of this
 * system, a virtual mailbox or another host. */

#ifndef PNEU_CONTROL_ROUTE_H
#define PNEU_CONTROL_ROUTE_H

#include <stddef.h>

#include <skalibs/stralloc.h>

enum route { ROUTE_LOCAL, ROUTE_MAILBOX, ROUTE_REMOTE };

/* The settings that decide, read once for many addresses. */
struct routes {
    stralloc envnoathost, locals, virtualdomains;
};

#define ROUTES_ZERO                                                                                                    \
    {                                                                                                                  \
        STRALLOC_ZERO, STRALLOC_ZERO, STRALLOC_ZERO                                                                    \
    }

/* Reads or rereads them. Returns 1, or 0 with errno and *which: the setting
 * that cannot be read. */
extern int routes_read(struct routes *, char const **which);

/* Finds the way of one address. `to` becomes what the deliverer gets: the
 * address, with envnoathost where it had no domain, domain in lower case; for
 * ROUTE_LOCAL after virtualdomains ("prefix-local@domain"). The domain is what
 * follows the last '@'. A domain is a mailbox domain if the folder
 * control/domain/DOMAIN exists. Returns 1, or 0 with errno. */
extern int route_find(struct routes const *, char const *address, size_t len, stralloc *to, enum route *);

#endif
