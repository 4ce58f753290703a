/* Destinations that are to be looked at again at some time: a heap, so that each costs O(log n). */

#ifndef PNEU_SEND_WAKE_H
#define PNEU_SEND_WAKE_H

#include <stdint.h>

struct dest;

struct wakes {
    struct dest **list; /* from 1 on; the earliest is the first */
    uint32_t count, room;
};

/* At that time, or earlier if it was to be earlier already. Returns 1, or 0 with ENOMEM. */
extern int wake_at(struct wakes *, struct dest *, uint64_t when);

/* Takes the first that is due off; NULL if none is. */
extern struct dest *wake_due(struct wakes *, uint64_t now);

/* The time of the first; UINT64_MAX if there is none. */
extern uint64_t wake_first(struct wakes const *);

extern void wake_forget(struct wakes *, struct dest *);

#endif
