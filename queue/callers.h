/* Who calls at the intake: limits by uid for the sessions of pneu-queued and pneu-filterd. */

#ifndef PNEU_QUEUE_CALLERS_H
#define PNEU_QUEUE_CALLERS_H

#include <stdint.h>

#include "lib/serve.h"

struct callers {
    uint32_t pneud, pneuf, pneuq; /* uids of pneu's own: they may have slots nobody else gets */
    uint32_t sessions;            /* at a time */
    uint32_t peruid; /* of these for one uid that is none of pneu's own; all of those together get three of four */
};

/* Reads users/ids. Returns 1, or 0 with errno. */
extern int callers_ids(struct callers *);

/* 1 if one more session of that uid is within the limits. */
extern int callers_admit(struct callers const *, struct serve const *, uint64_t uid);

/* The functions of struct serve that are the same for both. `refuse` sends the client an answer, if it goes out without waiting:
 * intake_end finds it. */
extern int callers_who(void *, int fd, uint64_t *uid);
extern void callers_refuse(void *, int fd, uint64_t uid, int error);

/* To be said of a child that a signal ended. */
extern void callers_died(struct serve_child const *, int sig);

#endif
