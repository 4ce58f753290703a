/* The way of a session's messages into the queue: one intake session, opened at the first message and kept for the next, also for
 * the next client of this process. And of its logins to pneu-authd. */

#ifndef PNEU_SMTPD_HANDOVER_H
#define PNEU_SMTPD_HANDOVER_H

#include <stdint.h>

#include "queue/intake.h"
#include "smtpd/session.h"

struct handover {
    struct intake intake;
    uint32_t timeout;  /* seconds for one answer or one piece */
    uint32_t patience; /* seconds for the answer to a login */
    stralloc answer;   /* to a login */
};

#define HANDOVER_ZERO                                                                                                  \
    {                                                                                                                  \
        .intake = INTAKE_ZERO, .answer = STRALLOC_ZERO                                                                 \
    }

/* Fills in the functions of `queue`. Nothing is opened or closed. */
extern void handover_init(struct handover *, uint32_t timeout, uint32_t patience, struct session_queue *queue);

#endif
