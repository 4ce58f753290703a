/* Many changes and moves at once: every step is taken for all of them, and each folder is synced once between two steps, not once for each message.
 * What a crash leaves is what it leaves of a single move (queue/move.h): one name or both, the reason never later than the name. */

#ifndef PNEU_QUEUE_MOVES_H
#define PNEU_QUEUE_MOVES_H

#include <sys/stat.h>

#include "queue/item.h"

#define MOVES_MOST 256 /* locks held at a time; pneu-send passes these messages over for some seconds */

enum moved_how {
    MOVED_ELSEWHERE,
    MOVED_STAYS,   /* only what was written into it counts */
    MOVED_REPLACED /* ".ID" beside it takes its place */
};

struct moved {
    char id[ID_SIZE];
    char from[ITEM_PATH];
    enum item_state before;
    struct stat st;
    int fd;      /* it has the lock */
    int written; /* the file that was written and is not yet on disk; -1: none */
    enum moved_how how;
    int e; /* errno of what went wrong; EEXIST: another file has that name there */
};

struct moves {
    struct moved list[MOVES_MOST];
    unsigned int n;
};

/* Takes a locked item with its descriptor, and with that the lock, into one of the free places. */
extern void moves_add(struct moves *, struct item *, enum moved_how, int written);

/* Syncs what was written; then moves to that state's folder those that go, with that reason beside each if it is not NULL, and unlocks all. list[i].e tells of each; the list is
 * there until moves_clear. */
extern void moves_finish(struct moves *, enum item_state to, char const *why);

extern void moves_clear(struct moves *);

#endif
