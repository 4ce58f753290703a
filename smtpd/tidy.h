/* The header of a message that a user's program submits (RFC 6409 section 8): what it lacks is added, what is nobody's business
 * is removed. The header is kept in memory until it is whole; the body is not looked at. */

#ifndef PNEU_SMTPD_TIDY_H
#define PNEU_SMTPD_TIDY_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/complete.h"
#include "lib/header.h"
#include "lib/netstring.h"

#define TIDY_MAX 262144 /* bytes of a header */

struct tidy {
    struct header header;
    struct complete complete; /* defaulthost and so on; kept for the next message */
    unsigned char seen[HEADER_count];
    stralloc froms; /* the addresses of From, each ended by NUL */
    int malformed;  /* From holds something else */
    int in_from;    /* the field being walked over is From */
    stralloc out;
};

/* Begins a message. */
extern void tidy_begin(struct tidy *);

/* The next bytes; lines end in LF. Returns 1 when the header is over: *used bytes belonged to it; 0 if it goes on; -1 with
 * errno: EMSGSIZE above TIDY_MAX, ENOMEM. */
extern int tidy_feed(struct tidy *, char const *s, size_t len, size_t *used);

/* The message has ended, maybe in its header. Returns as tidy_feed. */
extern int tidy_finish(struct tidy *);

/* Goes through the fields: froms and malformed are known then. Addresses get the host and the domain they lack. A `sender` that
 * is not empty will stand in a Sender field, in place of those there are. Returns 1, or 0 with errno: ENOMEM, or a setting
 * cannot be read. */
extern int tidy_fields(struct tidy *);

/* Fills t->out with the new header, the empty line, and what of the body was read with it. From, Date and Message-ID are added
 * if there is none; `from` may be empty: then no From is added. Returns 1, or 0 as above. */
extern int tidy_write(struct tidy *, struct bytes from, struct bytes sender, uint64_t now);

extern void tidy_free(struct tidy *);

#endif
