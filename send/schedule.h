/* When a message is tried next. */

#ifndef PNEU_SEND_SCHEDULE_H
#define PNEU_SEND_SCHEDULE_H

#include <stdint.h>

#include "send/clock.h"

#define SCHEDULE_FURTHEST 90000 /* no attempt is planned more than 25 hours ahead, whatever a file or a clock says */

#define SCHEDULE_WAITS 32 /* of a list */

/* How the waits between attempts grow: by a list, or, where it is empty, by qmail's square law, so that the n-th attempt
 * comes n * n * first seconds after arrival, but no wait is longer than `most`. */
struct schedule {
    unsigned int count;
    uint32_t waits[SCHEDULE_WAITS]; /* seconds; the last counts for all later ones */
    uint32_t first, most;
    uint32_t jitter; /* percent by which a wait may grow */
};

/* Seconds from now to the next attempt of a message of that age, which was just tried; at least 1. Nothing is counted:
 * the age alone says which wait comes next, so that a message which was tried out of turn, or lay in another
 * instance, keeps its plan; after an attempt half of a wait passes at least. The jitter depends on the identifier alone. */
extern uint64_t schedule_wait(struct schedule const *, uint64_t age, char const *id);

/* The second of CLOCK_BOOTTIME that belongs to a wall time, at most SCHEDULE_FURTHEST from now; past times are now. */
extern uint32_t schedule_key(struct clock const *, uint64_t wall);

#endif
