/* The way of a session's questions to pneu-hookd. */

#ifndef PNEU_SMTPD_CHECKS_H
#define PNEU_SMTPD_CHECKS_H

#include <stdint.h>

#include "smtpd/hook.h"
#include "smtpd/session.h"

struct checks {
    struct hook hook;
    char instance[64];
};

/* Fills in the functions of the session. Nothing is opened yet. timeoutcheck is what pneu-hookd allows the programs. */
extern void checks_init(struct checks *, uint32_t timeoutcheck, struct session_checks *);

extern void checks_close(struct checks *);

#endif
