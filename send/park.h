/* Where entries wait whose messages need not be loaded yet: 24 bytes each, in the order in which they came. */

#ifndef PNEU_SEND_PARK_H
#define PNEU_SEND_PARK_H

#include "send/send.h"

extern void park_init(struct park *, struct dest *, struct channel *);

extern int park_empty(struct park const *);

/* chain: PARK_NEW or PARK_OLD.
 * Where a message for this destination is parked, if that or its channel has enough loaded, or is held; else NULL. */
extern struct park *park_of(struct send const *, struct dest *, unsigned int chain);

extern void park_put(struct send *, struct park *, unsigned int chain, uint32_t entry);

/* Something may have left it room: its entries are given back one after another as long as there is some. */
extern void park_give(struct send *, struct park *);

/* The next parked entry for which there is room again, TABLE_ACTIVE; or TABLE_NONE. */
extern uint32_t park_take(struct send *);

/* A parked entry's message has changed: it is looked at soon, wherever it is parked. */
extern void park_want(struct send *, uint32_t entry);

/* Takes those out of their parks. */
extern void park_sift(struct send *);

/* All messages that wait because of their sender are looked at again. */
extern void park_release(struct send *);

#endif
