/* The parameters of MAIL and RCPT (RFC 5321 section 4.1.2, esmtp-param). */

#ifndef PNEU_SMTPD_PARAMS_H
#define PNEU_SMTPD_PARAMS_H

#include <stdint.h>

#include "lib/netstring.h"

/* Commands a parameter belongs to. */
#define PARAMS_MAIL (1u << 0)
#define PARAMS_RCPT (1u << 1)

struct params {
    unsigned int given; /* bit n: row n of the table was there */
    uint64_t size;      /* SIZE=; 0 if it was not given */
    char const *body;   /* BODY=: "7BIT" or "8BITMIME"; NULL if it was not given */
};

/* Reads what follows the path: " KEYWORD=value KEYWORD ...", blanks at the end allowed.
 * Returns NULL, or the reply that refuses them. */
extern char const *params_scan(struct bytes in, unsigned int command, struct params *);

#endif
