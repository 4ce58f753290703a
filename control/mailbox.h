/* Virtual mailboxes: control/domain/DOMAIN/ makes a domain one of mailboxes, mail/DOMAIN/USER/ is a mailbox, Maildir/ in it
 * where its mail lands. Addresses are lower case. The working directory is $PNEU_HOME. */

#ifndef PNEU_CONTROL_MAILBOX_H
#define PNEU_CONTROL_MAILBOX_H

#include <skalibs/stralloc.h>

#include "control/service.h"

/* Splits and checks "user@domain"; "domain" alone gives an empty user. Both become lower case, NUL-terminated.
 * A user is RFC 5321's dot-atom without '/' and ':', at most 64 bytes; a domain a host name.
 * Returns 1, or 0 with EPROTO. */
extern int mailbox_scan(char const *address, stralloc *user, stralloc *domain);

/* Makes what is missing of domain and mailbox, then users/cdb anew. Returns 1, or 0 with errno and op->why. */
extern int mailbox_add(struct operation *op, char const *user, char const *domain);

/* Takes a mailbox out of service: its passwords go, its folder is moved to mail/.deleted/USER@DOMAIN.SECONDS, told in `moved`.
 * An empty user deletes the domain, if no mailbox is in it (else ENOTEMPTY). ENOENT: there is none. Returns as above. */
extern int mailbox_delete(struct operation *op, char const *user, char const *domain, stralloc *moved);

/* 1 if "user@domain" is a mailbox here, 0 if not, -1 with errno. */
extern int mailbox_exists(char const *address, char const *domain);

/* All addresses, sorted by domain, each ended by NUL. Returns as above. */
extern int mailbox_list(struct operation *op, stralloc *addresses);

#endif
