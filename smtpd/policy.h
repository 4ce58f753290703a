/* What this server takes, from whom and for whom: its settings, read once, and what they say of an address. */

#ifndef PNEU_SMTPD_POLICY_H
#define PNEU_SMTPD_POLICY_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/relay.h"
#include "control/route.h"
#include "smtpd/guard.h"
#include "smtpd/submit.h"

/* What a listener is for: $PNEU_KIND. */
enum policy_kind {
    KIND_SMTP, /* mail from everywhere, for us */
    KIND_SUBMISSION,
    KIND_SUBMISSIONS, /* the same with TLS from the first byte */
    KIND_LMTP,
};

enum policy_tls { POLICY_TLS_NO, POLICY_TLS_MAY, POLICY_TLS_MUST };

struct policy {
    enum policy_kind kind;
    enum policy_tls tls;
    int starttls; /* there is somebody to do it; the program knows */
    stralloc me, greeting;
    struct guard guard;
    stralloc xclientfrom;
    stralloc moved;
    struct routes routes;
    struct relay relay;
    struct submit submit;
    char const *relayclient;     /* appended to each recipient; NULL: the client's address lets it relay nothing */
    char const *rule;            /* of access, that let the client in; or NULL */
    int nameless;                /* its name is not known now, and a rule may be for it */
    char const *listener;        /* $PNEU_SERVER, or NULL */
    unsigned int authmech;       /* 1 << SASL_x of each that can be used */
    uint32_t auth, authrequired; /* 0 or 1 */
    uint32_t authneedtls, authfailures, authdelay, timeoutauth;
    uint32_t databytes, sessionbytes, maxrcpt, maxhops, maxline, maxerrors, maxmessages;
    uint32_t vrfy, expn;
    int expn_denied; /* others may, this client may not */
    uint32_t timeoutsmtpd, timeoutsession, timeouttls, mindatarate, greetdelay, tarpitcount, tarpitdelay;
};

/* Reads the settings, $RELAYCLIENT, $PNEU_SERVER, $PNEU_KIND, $VRFY and $EXPN. Returns 1, or 0 with errno (ENOENT: one that must be
 * there is not; EINVAL: no such kind) and *which: the file or variable that cannot be read. */
extern int policy_read(struct policy *, char const **which);

extern void policy_free(struct policy *);

enum policy_verdict {
    POLICY_TAKE,
    POLICY_RELAY,    /* it is for somebody else's domain */
    POLICY_NAMELESS, /* the same, but it may be otherwise when the client's name is known */
    POLICY_UNKNOWN,  /* there is no such user here */
    POLICY_LATER,    /* it cannot be known now; errno */
};

/* Decides on a recipient, after $RELAYCLIENT has been appended to it, and says why it may be relayed or not (see
 * control/relay.h). A catch-all in virtualdomains opens no domain, because it may be a way out. What is local must exist. */
extern enum policy_verdict policy_recipient(struct policy const *, stralloc const *login, char const *address,
                                            size_t len, struct relay_reason *);

/* 1 if the address leads to a user or mailbox of this instance. */
extern int policy_is_here(struct policy const *, char const *address, size_t len);

/* What moved says of the address, or, in a domain of locals, of its local part; NULL: nothing. */
extern char const *policy_moved(struct policy const *, char const *address, size_t len);

/* May that login send mail? An empty one may. */
extern int policy_submit(struct policy const *, stralloc const *login);

#endif
