/* The trigger, a fifo: whoever queues a message writes its ID as a hint,
 * pneu-send reads it. A hint that is lost costs time, never mail: pneu-send
 * scans the queue when it starts, every few minutes, and when the fifo may have
 * been full. */

#ifndef PNEU_QUEUE_TRIGGER_H
#define PNEU_QUEUE_TRIGGER_H

#include <stddef.h>
#include <stdint.h>

#include "queue/id.h"

/* The writer's end. Never blocks; hints that are written while pneu-send is
 * away wait for it. Returns it, or -1. */
extern int trigger_open(void);

#define TRIGGER_ALL_LINE "all"
#define TRIGGER_WORD 256 /* bytes of a line, its end included */

/* Writes "ID\n": it is new, or, if it waits, due now; with "" a bare "\n": look again; "all\n": all that waits is due
 * now; "@domain\n": all that waits for that domain. An error is of no consequence. */
extern void trigger_pull(int fd, char const *id);

#define TRIGGER_BUFFER 4096

/* The reader's end. */
struct trigger {
    int fd; /* poll it for reading; it never reports an end of file */
    size_t len, taken;
    uint32_t run; /* bytes since the fifo was last empty */
    char buf[TRIGGER_BUFFER];
};

/* Returns 1, or 0 with errno; EPROTO: QUEUE_TRIGGER is no fifo. */
extern int trigger_listen(struct trigger *);

enum trigger_hint {
    TRIGGER_NONE,   /* nothing more for now */
    TRIGGER_NEW,    /* id is new */
    TRIGGER_ALL,    /* the operator wants all tried now */
    TRIGGER_DOMAIN, /* what waits for the domain that `word` is */
    TRIGGER_SCAN,   /* look again: asked for, or the fifo was so full that hints
                     may be missing, or a line is neither */
    TRIGGER_ERROR = -1
};

/* The next hint, in `word`, NUL-terminated. Call it until it says TRIGGER_NONE or TRIGGER_ERROR (with
 * errno). */
extern int trigger_next(struct trigger *, char word[static TRIGGER_WORD]);

#endif
