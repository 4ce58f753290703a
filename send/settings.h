/* What pneu-send asks of control/: once a second at most, and where mail goes again for each attempt after a change. */

#ifndef PNEU_SEND_SETTINGS_H
#define PNEU_SEND_SETTINGS_H

#include "control/control.h"
#include "send/send.h"

/* Rereads what is older than a second, or routes that have changed. What cannot be read stays as it was, with a line in the log. Returns 1, or 0 if
 * there never was anything to go by. */
extern int settings_fresh(struct send *);

/* Reads now. */
extern int settings_read(struct send *);

/* A number of one remote domain. */
extern uint32_t settings_of(struct send const *, enum setting, char const *domain, uint32_t fallback);

#endif
