/* Finding messages: hints that come through the trigger, and scans of new/ and wait/XX in slices, beside the work. */

#ifndef PNEU_SEND_SCAN_H
#define PNEU_SEND_SCAN_H

#include "send/send.h"

/* Asks for a scan that also looks at the times of known messages. */
extern void scan_ask(struct send *);

/* Goes on with a scan for a slice, or begins one that is due. Returns 1 if there is more to do at once. */
extern int scan_run(struct send *);

/* Reads some of what the trigger holds. */
extern void scan_hints(struct send *);

/* Makes all that waits due now. */
extern void scan_flush(struct send *);

#endif
