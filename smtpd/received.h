/* The trace field (RFC 5321 section 4.4) that pneu-smtpd puts before a message. */

#ifndef PNEU_SMTPD_RECEIVED_H
#define PNEU_SMTPD_RECEIVED_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "smtpd/peer.h"

struct received {
    struct bytes helo; /* as the client said it */
    struct peer const *peer;
    char const *me;
    char const *with;           /* "SMTP", "ESMTP" */
    struct peer_tls const *tls; /* NULL, or without a protocol: none */
    struct bytes recipient;     /* the only one; empty if there are more */
    int hidden;                 /* nothing about the client */
    uint64_t now;               /* seconds since 1970 */
};

/* Appends it, lines end in LF. There is no id in it: the queue names the message after it has come in whole, and the log
 * says which it is. Returns 1, or 0 with ENOMEM. */
extern int received_put(stralloc *to, struct received const *);

#endif
