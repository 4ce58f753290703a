/* Long work says on a terminal how far it is: one line on descriptor 2, written over and over, wiped out at the end. */

#ifndef PNEU_OPERATOR_PROGRESS_H
#define PNEU_OPERATOR_PROGRESS_H

#include <stdint.h>

struct progress {
    int shown; /* 0: no terminal */
    int dirty; /* something stands there */
    uint64_t next;
};

/* Before the program is confined. */
extern void progress_begin(struct progress *);

/* Says "N WORD" if it is time to. */
extern void progress_step(struct progress *, uint64_t n, char const *word);

/* Wipes it out: before anything else is printed, and at the end. */
extern void progress_clear(struct progress *);

#endif
