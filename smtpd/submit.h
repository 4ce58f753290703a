/* Rules for those who have logged in: which addresses are theirs, and what the world sees of them. */

#ifndef PNEU_SMTPD_SUBMIT_H
#define PNEU_SMTPD_SUBMIT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/relay.h"
#include "control/route.h"

struct submit {
    stralloc senders, masquerade;
    uint32_t checkfrom, hideclient;
};

/* Reads the settings that are present. Returns 1, or 0 with errno and *which. */
extern int submit_read(struct submit *, unsigned char const *present, char const **which);

/* May that login send as that address? It may as itself, as every address whose mail it gets, and as those that senders names
 * for it. The empty address, of reports, is everybody's. Returns 1 or 0; -1 with errno: it cannot be known now. */
extern int submit_may(struct submit const *, struct relay const *, struct routes const *, stralloc const *login,
                      char const *address, size_t len);

/* Replaces the domain of an address as masquerade says. Returns 1, or 0 with ENOMEM. */
extern int submit_masquerade(struct submit const *, stralloc *address);

#endif
