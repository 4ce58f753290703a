/* Channels: who is delivered next. Each channel serves first attempts, later ones, messages to many and slow destinations
 * in turn, of each the destinations in turn, each destination its messages in turn, a job at a time: a list of a
 * thousand does not hold up a letter, nor one slow domain the others. */

#ifndef PNEU_SEND_DISPATCH_H
#define PNEU_SEND_DISPATCH_H

#include "send/send.h"

/* Prepares a channel; it is connected later. */
extern void dispatch_init(struct channel *, char const *name, char const *path);

/* Queues a group at its destination. */
extern void dispatch_group(struct group *);

/* What no job has taken of a message waits no longer. */
extern void dispatch_withdraw(struct send *, struct message *);

/* Connects what is to be connected, starts the jobs that may be started, and sends them. Returns 1 if there is more to
 * do at once. */
extern int dispatch_run(struct send *);

/* Milliseconds until dispatch_run has something to do of itself; -1: nothing. */
extern int dispatch_wait(struct send const *);

/* Takes what a channel has received. */
extern void dispatch_results(struct send *, struct channel *);

/* One frame of results. */
extern void dispatch_frame(struct send *, struct channel *, struct bytes frame);

#endif
