/* What pneu-list prints of one queue file. */

#ifndef PNEU_QUEUE_LIST_H
#define PNEU_QUEUE_LIST_H

#include <stdint.h>

#include <skalibs/stralloc.h>

struct list {
    int prove;    /* also the messages' checksums, whatever their size */
    uint64_t now; /* seconds since 1970 */
    uint64_t messages, damaged;
};

/* Appends the lines of one file: "ID STATE AGE SIZE TRIES NEXT DONE/ALL <SENDER> LAST\n" and "  STATUS <RECIPIENT>\n" each,
 * or "ID STATE - SIZE - - - - damaged: WHY\n". `state` is new, wait, hold or bad. A file that is gone by now is passed over.
 * Returns 1, or 0 with errno. */
extern int list_file(struct list *, stralloc *to, char const *folder, char const *state, char const *id);

/* Appends the names of that folder that are IDs, each with its NUL, sorted. Returns 1, or 0 with errno. */
extern int list_names(stralloc *to, char const *folder);

/* 1 if the sorted names hold that ID. */
extern int list_holds(stralloc const *names, char const *id);

/* Confines pneu-list. Returns 1, or 0 with errno. */
extern int list_confine(void);

#endif
