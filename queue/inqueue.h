/* What pneu-queue does: qmail-queue's two descriptors, and the records of
 * $PNEU_ENVELOPE, become one message on run/intake. */

#ifndef PNEU_QUEUE_INQUEUE_H
#define PNEU_QUEUE_INQUEUE_H

#include <stddef.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/exits.h"
#include "queue/intake.h"

#define INQUEUE_ADDRESS_MAX 1003 /* qmail-queue's limit; what is longer is read no further */

/* Reads "Fsender\0Trecipient\0Trecipient\0\0" to its final NUL and appends the
 * addresses to `to`: the sender and each recipient with its NUL. Returns 0 or a
 * QUEUE_* code: QUEUE_READ if it ends before the final NUL, QUEUE_LONG,
 * QUEUE_REFUSED (control characters),
 * QUEUE_FORMAT, QUEUE_MEMORY. */
extern int inqueue_addresses(int fd, stralloc *to);

/* Makes the closing envelope: the sender, the recipients, and behind each what
 * `extra` has for this address (merged in order, so that the same address twice
 * finds both of its records). Returns 1, or 0 with errno: ENOMEM, EPROTO. */
extern int inqueue_closing(stralloc *to, struct bytes addresses, struct bytes extra);

/* Makes the opening envelope: the records of `extra` that belong to the
 * message, and the size if it is known (-1: not). Returns as inqueue_closing.
 */
extern int inqueue_opening(stralloc *to, struct bytes extra, long long size);

/* The descriptors pneu-queue was started with. */
struct inqueue {
    int message, addresses;
    int extra;      /* $PNEU_ENVELOPE, -1 if there is none */
    int extra_file; /* it is a regular file */
    long long size; /* bytes of the message, -1 if nobody knows */
};

/* Looks what kinds of descriptors they are: before inqueue_confine, which
 * leaves no stat. */
extern void inqueue_look(struct inqueue *);

/* All of it. The session is open and has its deadline. Returns a QUEUE_* code
 * and *text: what went wrong, which may lie in the answer. */
extern int inqueue(struct inqueue const *, struct intake *, struct intake_answer *, char const **text);

/* Confines pneu-queue once its session is open: it only reads and writes from
 * there on. Returns 1, or 0 with errno. */
extern int inqueue_confine(void);

#endif
