/* A stranger's bytes, read aside: a chain program is to become another program, which a confined process could not
 * always be. So a child reads them, confined, and leaves one record; the parent reads nothing else. */

#ifndef PNEU_ACCESS_ASIDE_H
#define PNEU_ACCESS_ASIDE_H

#include <stddef.h>

/* Confines itself, then fills the record. Returns 1, or 0 with errno. */
typedef int aside_work(void *record, void *data);

/* Runs that in a child and takes its record: every byte of it is to be looked at. SIGCHLD must not be ignored.
 * Returns 1, or 0 with errno: the child's, or EPROTO if it died. */
extern int aside_run(aside_work *, void *data, void *record, size_t len);

/* What such a child may do: use the descriptors it has, and with `inet` ask other hosts. Returns 1, or 0 with errno. */
extern int aside_confine(int inet);

#endif
