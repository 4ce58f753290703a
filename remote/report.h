/* What became of the recipients, told to those who asked. */

#ifndef PNEU_REMOTE_REPORT_H
#define PNEU_REMOTE_REPORT_H

#include <skalibs/stralloc.h>

#include "remote/delivery.h"

/* Appends the frames (queue/job.h) of all who are settled and not yet told. Those who share an outcome share a frame,
 * as far as their numbers fit into one. Returns 1, or 0 with ENOMEM. */
extern int report_results(struct delivery *, uint64_t job, stralloc *to);

/* Appends what qmail-remote(8) prints: a report a recipient, r h or s, then the message's, K Z or D, each ended by NUL.
 * Returns 1, or 0 with ENOMEM. */
extern int report_print(struct delivery const *, stralloc *to);

#endif
