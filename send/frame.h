/* The frames of jobs (queue/job.h). */

#ifndef PNEU_SEND_FRAME_H
#define PNEU_SEND_FRAME_H

#include "send/send.h"

/* Appends a job of the group's next recipients, at most that many. *end: the first target that is not in it.
 * Returns 1, or 0 with ENOMEM. */
extern int frame_job(stralloc *to, struct message const *, struct group const *, uint32_t perjob, uint64_t number,
                     uint32_t *end);

/* The sender for one recipient: of a sender "owner-@host-@[]" it is "owner-local=domain@host", as qmail-send makes
 * it, so that a bounce tells whose it is; else it is the sender. Returns 1 if it is not the sender, 0 if it is, -1 with ENOMEM. */
extern int frame_sender(stralloc *to, struct bytes from, struct bytes recipient);

#endif
