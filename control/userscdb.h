/* Making users/cdb (control/users.h), from
 *   the system's users       `getent passwd`, in an instance of root: uid at least minuid, home theirs
 *   users/assign             as qmail-users(5) has it
 *   alias/.qmail-*           addresses without a user
 *   mail/DOMAIN/USER/        virtual mailboxes, with mail/DOMAIN/USER/.qmail-* and mail/DOMAIN/.qmail-*
 * Who comes first wins, in this order. Every mailbox domain has a postmaster: without a mailbox or a
 * dot-qmail file of its own his mail follows alias/.qmail-postmaster.
 * The same sources give the same bytes. */

#ifndef PNEU_CONTROL_USERSCDB_H
#define PNEU_CONTROL_USERSCDB_H

#include <skalibs/stralloc.h>

struct userscdb_count {
    unsigned int users, assigned, aliases, mailboxes;
};

/* Makes it anew; the working directory is $PNEU_HOME. Before the new one is whole the old one stays.
 * Returns 1, or 0 with errno and in `why`, NUL-terminated, what could not be read or written. */
extern int userscdb_make(struct userscdb_count *, stralloc *why);

#endif
