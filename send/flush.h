/* "All that waits for this domain, now": the table knows no domains, so the files are asked, some at a time. */

#ifndef PNEU_SEND_FLUSH_H
#define PNEU_SEND_FLUSH_H

#include "send/send.h"

/* Begins, or adds the domain to what is looked for: each gets its own round. */
extern void flush_ask(struct send *, char const *domain);

/* Looks at some entries. Returns 1 if there is more. */
extern int flush_run(struct send *);

#endif
