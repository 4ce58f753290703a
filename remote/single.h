/* One message, in qmail-remote's way: arguments in, reports out. */

#ifndef PNEU_REMOTE_SINGLE_H
#define PNEU_REMOTE_SINGLE_H

#include "remote/deliver.h"

/* A message that can be read again: fd itself if it is a file, from where it stands, else a copy in memory. Reads all of
 * it, so it comes before the process confines itself. Returns a descriptor, or -1 with errno. */
extern int single_message(int fd, uint64_t *offset, uint64_t *length);

/* Delivers it and writes the reports to descriptor 1. Returns 1, or 0 with errno. */
extern int single_send(struct deliver *, char const *host, char const *sender, char const *const *recipients,
                       int message, uint64_t offset, uint64_t length);

/* Writes one report, class and text. */
extern void single_fail(char class, char const *text);

#endif
