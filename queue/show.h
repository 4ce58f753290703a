/* What pneu-show prints of one message beside the line that pneu-list prints. Nothing of it moves a terminal. */

#ifndef PNEU_QUEUE_SHOW_H
#define PNEU_QUEUE_SHOW_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "queue/item.h"

/* Appends the envelope, a record a line "name=value", each recipient's number and status before its own. Returns 1, or 0 with
 * ENOMEM. */
extern int show_envelope(stralloc *to, struct item const *);

/* Appends the log, a line an attempt and reply: time, class, code, recipients by number, who said so, what. Returns 1, or 0 with ENOMEM. */
extern int show_history(stralloc *to, struct item const *);

/* Appends arrival, next attempt and size in words. Returns 1, or 0 with ENOMEM. */
extern int show_head(stralloc *to, struct item const *, uint64_t now);

/* The message: where its header ends (the body's first byte), as an offset in the file. Returns 1, or 0 with errno. */
extern int show_bodystart(struct item const *, off_t *at);

#endif
