/* The envelope of a message that comes in over the intake in two parts: opening and closing. Sorted so that the records of
 * the message come before those of the recipients, and without what is not the client's to say. */

#ifndef PNEU_QUEUE_PARTS_H
#define PNEU_QUEUE_PARTS_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/intake.h"

struct parts {
    int trusted;   /* its word on client, login, origin and listener counts */
    stralloc head; /* records of the message */
    stralloc tail; /* recipients, each with its records */
};

extern void parts_begin(struct parts *, int trusted);

/* Adds the opening's or the closing's records. Returns 1, 0 with ENOMEM, -1 if one is malformed. */
extern int parts_add(struct parts *, struct bytes records);

/* Adds time= and uid= and joins all in head. Returns 1, or 0 with ENOMEM. */
extern int parts_join(struct parts *, uint64_t uid, struct bytes *envelope);

/* The answer to an envelope that envelope_check refuses, with qmail-queue's codes. */
extern void parts_blame(struct bytes envelope, struct intake_answer *);

/* The number of that name among the message's records, or `otherwise`. */
extern uint64_t parts_number(struct bytes records, char const *name, uint64_t otherwise);

#endif
