#ifndef PNEU_LOCAL_WORKER_H
#define PNEU_LOCAL_WORKER_H

#include <stdint.h>

#include "lib/netstring.h"
#include "local/program.h"

/* Job mode: takes jobs (queue/job.h) from a socket until it is closed. home:
 * the only one that is delivered to; NULL: those of mailboxes. Returns 1 at the
 * end, or 0 with errno. */
extern int local_work(int fd, char const *home, struct helper *, struct bytes defaults);

#endif
