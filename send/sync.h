/* Processes that wait for the disk, so that pneu-send does not: forked at the start, they get descriptors over a
 * socket, sync them one by one, and answer. */

#ifndef PNEU_SEND_SYNC_H
#define PNEU_SEND_SYNC_H

#include "send/send.h"

/* Forks them; `keep` is a descriptor they shall not hold. Returns 1, or 0 with errno. */
extern int sync_start(struct syncs *, int keep);

/* Asks for fdatasync (a file) or fsync (a folder) of a duplicate of fd. A message's count of requests goes up; without
 * one, and without deliveries, nobody wants to know. Returns 1, or 0 with errno. */
extern int sync_ask(struct syncs *, struct synced of, int fd, int folder);

/* Sends what waits. Returns 1 all, 0 some left, -1 with errno. */
extern int sync_flush(struct syncs *);

/* The next answer: of what was asked, and *e, 0 or the errno of the sync. Returns 1, 0 none, -1 with errno. */
extern int sync_answer(struct syncs *, struct synced *of, int *e);

#endif
