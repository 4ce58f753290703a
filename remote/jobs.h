/* Job after job from a pneu-spawn. */

#ifndef PNEU_REMOTE_JOBS_H
#define PNEU_REMOTE_JOBS_H

#include "remote/deliver.h"

/* Serves the connected socket fd (queue/job.h) until its end. Returns 1, or 0 with errno if the other side
 * speaks no job protocol or memory is short. */
extern int jobs_serve(struct deliver *, int fd);

#endif
