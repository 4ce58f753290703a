/* The settings that hold mail back, and which of them a message meets: pneu-send goes by them, operators are told. */

#ifndef PNEU_CONTROL_HELD_H
#define PNEU_CONTROL_HELD_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/control.h"
#include "control/route.h"

/* Those of senders: lists as control_list reads them, a login or none (0 bytes). Returns the setting, or SET_count: he is not held. */
extern enum setting held_sender(stralloc const *senders, stralloc const *logins, char const *sender, size_t senderlen,
                                char const *login, size_t loginlen);

/* All of them, read once for many messages. */
struct held {
    struct routes routes;
    stralloc senders, logins;
    uint32_t local, remote, domains;    /* domains: `hold` of all of them */
    uint32_t locals_most, remotes_most; /* concurrencylocal and -remote: of none at a time none goes */
    int remotes;                        /* some domains may have their own */
    stralloc to, last;                  /* work space; the domain asked for last, */
    uint32_t last_hold;                 /* and what was found */
};

#define HELD_ZERO                                                                                                      \
    {                                                                                                                  \
        .routes = ROUTES_ZERO, .senders = STRALLOC_ZERO, .logins = STRALLOC_ZERO, .to = STRALLOC_ZERO,                 \
        .last = STRALLOC_ZERO                                                                                          \
    }

/* Reads them. Returns 1, or 0 with errno and *which: the setting that cannot be read. */
extern int held_read(struct held *, char const **which);

/* 1 if some recipient may be held: else nobody needs to be asked about. */
extern int held_recipients(struct held const *);

/* That of a recipient's way: *which is holdlocal, holdremote, hold, concurrencylocal or concurrencyremote where these are 0, or SET_count.
 * Returns 1, or 0 with errno. */
extern int held_recipient(struct held *, char const *address, size_t len, enum setting *which);

#endif
