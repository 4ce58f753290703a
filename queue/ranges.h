/* Numbers of recipients as text, "0-3,7": made one by one, in rising order. */

#ifndef PNEU_QUEUE_RANGES_H
#define PNEU_QUEUE_RANGES_H

#include <stdint.h>

#include <skalibs/stralloc.h>

struct ranges {
    uint32_t first, last;
    int open;
};

#define RANGES_ZERO                                                                                                    \
    {                                                                                                                  \
        0, 0, 0                                                                                                        \
    }

/* Adds one that is greater than all before. Returns 1, or 0 with ENOMEM. */
extern int ranges_add(struct ranges *, stralloc *to, uint32_t n);

/* Writes what is still open. Returns 1, or 0 with ENOMEM. */
extern int ranges_end(struct ranges *, stralloc *to);

#endif
