/* A walk through the queue's folders in the order of a message's way: new/, wait/00 to wait/ff, hold/, bad/. A message that
 * moves on meanwhile is met where it was, or where it went. */

#ifndef PNEU_QUEUE_WALK_H
#define PNEU_QUEUE_WALK_H

#include <skalibs/stralloc.h>

#include "queue/item.h"
#include "queue/layout.h"
#include "queue/select.h"

struct walk {
    struct select const *select;
    unsigned int states; /* bits 1 << ITEM_*: the folders */
    int step;            /* of WALK_STEPS; -1: not begun */
    stralloc names;      /* of the folder, sorted */
    size_t at;
    stralloc new; /* those of new/ */
    enum item_state state;
    char folder[sizeof QUEUE_WAIT + 3];
};

#define WALK_STEPS 259

/* Folders that the selection names, or else `usual`. */
extern void walk_begin(struct walk *, struct select const *, unsigned int usual);

/* The next name that may fit. Returns 1; 0 at the end; -1 with errno if w->folder could not be read: the walk may go on. */
extern int walk_next(struct walk *, char const **id);

extern void walk_free(struct walk *);

/* Names in that folder that are IDs, each with its NUL, sorted. Returns 1, or 0 with errno. */
extern int walk_names(stralloc *to, char const *folder);

/* Numbered as the walk's steps: 0 new/, 1 to 256 wait/XX, 257 hold/, 258 bad/. */
extern enum item_state walk_folder(char folder[static sizeof QUEUE_WAIT + 3], int step);

/* The number of a folder; xx: of wait/XX. */
extern unsigned int walk_step(enum item_state, char const *xx);

#endif
