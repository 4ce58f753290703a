/* Backpressure: what is free on the queue's disk, less what the open sessions
 * have announced. One array, shared by the parent and all session children, has
 * a slot each. */

#ifndef PNEU_QUEUE_SPACE_H
#define PNEU_QUEUE_SPACE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct space {
    _Atomic uint64_t *announced; /* bytes still to come, a session each; 0: none */
    size_t slots;
    uint32_t minfree;       /* bytes the disk keeps */
    uint32_t minfreeinodes; /* inodes it keeps */
};

/* Makes the array, before the first fork. Returns 1, or 0 with errno. */
extern int space_init(struct space *, size_t slots);

/* Announces the bytes of one session's message and asks whether they fit.
 * Returns 1; 0 with errno: ENOSPC if they do not (nothing is announced then).
 * `half`: only half of the floors count, for our own bounces and forwards,
 * which make room once they are delivered. */
extern int space_take(struct space const *, size_t slot, uint64_t bytes, int half);

/* That session's message is written, or given up. */
extern void space_give(struct space const *, size_t slot);

/* The rule of space_take alone. */
extern int space_fits(uint64_t bytes, uint64_t announced, uint64_t free_bytes, uint64_t minfree);

#endif
