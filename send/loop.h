/* pneu-send's loop. */

#ifndef PNEU_SEND_LOOP_H
#define PNEU_SEND_LOOP_H

#include "send/send.h"

/* Makes the state ready: settings, clocks, trigger, folders. bounce: path of pneu-bounce. Returns 1, or 0 with errno
 * and *what: that which failed. */
extern int loop_init(struct send *, char const *bounce, char const **what);

/* Runs until a signal ends it; signals: selfpipe's descriptor. Returns the exit code. */
extern int loop_run(struct send *, int signals);

#endif
