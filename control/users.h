/* Who gets local mail: users/cdb, made by pneu-users in the format of
 * qmail-users(5) from the system's users, users/assign, alias/ and mail/.
 * Addresses of virtual mailboxes stand in it whole (alice@example.org). */

#ifndef PNEU_CONTROL_USERS_H
#define PNEU_CONTROL_USERS_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#define USERS_CDB "users/cdb"

struct user {
    uint32_t uid, gid;
    char const *name; /* NUL-terminated, all lead into storage */
    char const *home; /* absolute */
    char const *dash; /* "" or "-" */
    char const *ext;  /* what follows the dash; "" if none */
    stralloc storage;
};

#define USER_ZERO                                                                                                      \
    {                                                                                                                  \
        .storage = STRALLOC_ZERO                                                                                       \
    }

/* Finds a local part ("alice-list") or a mailbox's address
 * ("alice@example.org"), case ignored. Returns 1 found; 0 there is no such
 * user; -1 with errno if it cannot be known now: no cdb, a damaged one, or
 * (ESTALE) not found in one that is older than what it was made from. */
extern int users_find(char const *address, size_t len, struct user *);

/* Whom an alias forwards to: `members` gets the addresses, as its dot-qmail file has them, NUL-terminated. Returns 1; 0 if
 * there is no such alias; -1 with errno as above (ESTALE: its file has changed since). */
extern int users_members(char const *name, size_t len, stralloc *members);

/* uid and gid of one of pneu's own users, pneuq and so on, from users/ids
 * ("pneuq:997:997" a line; an instance of an ordinary user has his uid in
 * each). Returns 1, or 0 with errno: ENOENT, EPROTO. */
extern int users_id(char const *name, uint32_t *uid, uint32_t *gid);

#endif
