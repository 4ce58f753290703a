/* The quoting of an mbox: '>' before every line that begins with any number of
 * '>' and "From ", so that a reader can take it away again. */

#ifndef PNEU_LOCAL_QUOTING_H
#define PNEU_LOCAL_QUOTING_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/buffer.h>

struct quoting {
    uint64_t angles;      /* '>' held back at the beginning of a line */
    unsigned int matched; /* bytes of "From " held back */
    int inside;           /* not at the beginning of a line */
};

#define QUOTING_ZERO                                                                                                   \
    {                                                                                                                  \
        .angles = 0                                                                                                    \
    }

/* Writes the next piece of a message; pieces may be cut anywhere. Returns 1, or
 * 0 with errno. */
extern int quoting_put(struct quoting *, buffer *, char const *s, size_t len);

/* Writes what was held back, a line end if the last line has none, and the
 * empty line that ends a message in an mbox. Returns 1, or 0 with errno. */
extern int quoting_end(struct quoting *, buffer *);

#endif
