/* What this server takes, from whom and for whom: its settings, read once, and what they say of an address. */

#ifndef PNEU_SMTPD_POLICY_H
#define PNEU_SMTPD_POLICY_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/route.h"

/* What a listener is for: $PNEU_KIND. */
enum policy_kind {
    KIND_SMTP, /* mail from everywhere, for us */
    KIND_SUBMISSION,
    KIND_SUBMISSIONS, /* the same with TLS from the first byte */
    KIND_LMTP,
};

struct policy {
    enum policy_kind kind;
    stralloc me, greeting;
    stralloc rcpthosts, morercpthosts, badmailfrom;
    struct routes routes;
    char const *relayclient; /* appended to each recipient; NULL: this client may not relay */
    char const *listener;    /* $PNEU_SERVER, or NULL */
    uint32_t databytes, sessionbytes, maxrcpt, maxhops, maxline, maxerrors, maxmessages;
    uint32_t timeoutsmtpd, timeoutsession, mindatarate, greetdelay, tarpitcount, tarpitdelay;
};

/* Reads the settings, $RELAYCLIENT, $PNEU_SERVER and $PNEU_KIND. Returns 1, or 0 with errno (ENOENT: one that must be
 * there is not; EINVAL: no such kind) and *which: the file or variable that cannot be read. */
extern int policy_read(struct policy *, char const **which);

/* 1 if badmailfrom holds the address or its @domain. */
extern int policy_bad_sender(struct policy const *, char const *address, size_t len);

enum policy_verdict {
    POLICY_TAKE,
    POLICY_RELAY,   /* it is for somebody else's domain */
    POLICY_UNKNOWN, /* there is no such user here */
    POLICY_LATER,   /* it cannot be known now; errno */
};

/* Decides on a recipient, after $RELAYCLIENT has been appended to it. A client without RELAYCLIENT may write to
 *
 *   domains in locals and mailbox domains,
 *   domains in rcpthosts and morercpthosts,
 *   addresses without a domain,
 *
 * and nothing else: a catch-all in virtualdomains opens no domain, because it may be a way out. For domains
 * of others '%', '!' and '@' in the local part are a second address in disguise. What is local must exist. */
extern enum policy_verdict policy_recipient(struct policy const *, char const *address, size_t len);

#endif
