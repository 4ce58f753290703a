/* Reports: one pneu-bounce a message, for all failures it has, with the queue file on descriptor 0. */

#ifndef PNEU_SEND_REPORT_H
#define PNEU_SEND_REPORT_H

#include "send/send.h"

/* Puts the message into the queue of those that owe one, and starts what may be started. */
extern void report_ask(struct send *, struct message *, enum report_kind);

/* A child has ended. Returns 1 if it was a pneu-bounce. */
extern int report_ended(struct send *, pid_t, int status);

/* The number of the notice that the sender of a message should get now for its delay; 0: none, and it is not asked again in
 * this attempt. */
extern unsigned int report_late(struct send const *, struct message *);

#endif
