/* Destinations and channels: who is delivered next. Each channel serves its destinations in turn, each destination its
 * messages in turn, a job at a time: a list of a thousand does not hold up a letter, nor one slow domain the others. */

#ifndef PNEU_SEND_DISPATCH_H
#define PNEU_SEND_DISPATCH_H

#include "send/send.h"

/* Prepares a channel; it is connected later. */
extern void dispatch_init(struct channel *, char const *name, char const *path);

/* The destination of that route and name, made if need be. NULL with ENOMEM. */
extern struct dest *dispatch_dest(struct send *, int route, struct bytes name);

/* Forgets a destination that nothing leads to any more. */
extern void dispatch_idle(struct send *, struct dest *);

/* Where a message for this destination is parked, if that or its channel has enough loaded; else NULL. */
extern struct park *dispatch_full(struct dest *);

extern void dispatch_park(struct send *, struct park *, uint32_t entry);

/* The next parked entry whose destination has room again, TABLE_ACTIVE; or TABLE_NONE. */
extern uint32_t dispatch_unpark(struct send *);

/* Queues a group at its destination. */
extern void dispatch_group(struct group *);

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
