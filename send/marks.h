/* What is written into a queue file: status bytes and log lines. The effect was durable before. */

#ifndef PNEU_SEND_MARKS_H
#define PNEU_SEND_MARKS_H

#include "send/send.h"

/* Writes what the message has waiting, and its next attempt as the file's time if the attempt is over, through a
 * descriptor that is opened by name for that alone; status bytes are given to the helpers for fdatasync.
 * Returns 1; or 0 if it cannot be done now: nothing is forgotten, try again. A file that is not there any more,
 * or another one of that name, sets m->gone. */
extern int marks_write(struct send *, struct message *);

/* Brings the log as far as it is written; of a long one its end. Returns 1, or 0 with errno. */
extern int marks_log(struct message const *, stralloc *to);

#endif
