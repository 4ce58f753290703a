/* One attempt: where each recipient leads now, and the groups that go the same way. */

#ifndef PNEU_SEND_ATTEMPT_H
#define PNEU_SEND_ATTEMPT_H

#include "send/send.h"

/* Routes the recipients that are left and queues them at their destinations; or, where these have enough to do,
 * parks the message there and unloads it. */
extern void attempt_begin(struct send *, struct message *);

/* One result for some recipients of a job: marks, log, history. `ranges` is what the deliverer said and is believed
 * only as far as it names recipients of the job that have no result yet. lost: nobody answered. */
extern void attempt_result(struct send *, struct running *, struct result const *, int lost);

/* What recipients of one job have in common: the domain, or the local part; empty for mailboxes. */
extern struct bytes attempt_key(struct message const *, struct target const *);

/* 1 if both may be in one job. */
extern int attempt_together(struct message const *, struct target const *, struct target const *);

/* Seconds since 1970 of the next attempt, if one at that destination (NULL: some) ended now. */
extern uint64_t attempt_next(struct send const *, struct message const *, struct dest const *);

#endif
