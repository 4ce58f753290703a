/* The parameters of MAIL and RCPT (RFC 5321 section 4.1.2, esmtp-param). */

#ifndef PNEU_SMTPD_PARAMS_H
#define PNEU_SMTPD_PARAMS_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

/* Whose parameters they are, and what has been said before. */
#define PARAMS_MAIL (1u << 0)
#define PARAMS_RCPT (1u << 1)
#define PARAMS_AUTH (1u << 2) /* AUTH is offered: its parameter may be said */
#define PARAMS_UTF8 (1u << 3) /* of RCPT: MAIL had SMTPUTF8, so values may hold UTF-8 */

#define PARAMS_ENVID_MAX 100 /* RFC 3461 section 5.4 */
#define PARAMS_ORCPT_MAX 500 /* RFC 3461 section 5.2 */

/* Bits of NOTIFY=. */
#define PARAMS_NEVER (1u << 0)
#define PARAMS_SUCCESS (1u << 1)
#define PARAMS_FAILURE (1u << 2)
#define PARAMS_DELAY (1u << 3)

struct params {
    unsigned int given; /* bit n: row n of the table was there */
    unsigned int command;
    uint64_t size;       /* SIZE=; 0 if it was not given */
    char const *body;    /* BODY=: "7BIT" or "8BITMIME"; NULL if it was not given */
    int smtputf8;        /* SMTPUTF8 (RFC 6531) */
    char const *ret;     /* RET=: "FULL" or "HDRS"; NULL */
    struct bytes envid;  /* ENVID=, as it was written: xtext; empty if it was not given. Leads into what was read */
    unsigned int notify; /* NOTIFY=, PARAMS_NEVER ...; 0 if it was not given */
    struct bytes orcpt;  /* ORCPT=: "TYPE;XTEXT"; likewise */
};

/* Reads what follows the path: " KEYWORD=value KEYWORD ...", blanks at the end allowed; `command` is PARAMS_MAIL or
 * PARAMS_RCPT and what else is true. Returns NULL, or the reply that refuses them. */
extern char const *params_scan(struct bytes in, unsigned int command, struct params *);

/* Appends them as records of an envelope (queue/envelope.h), but for SIZE, which is none. Returns 1, or 0 with ENOMEM. */
extern int params_put(stralloc *to, struct params const *);

#endif
