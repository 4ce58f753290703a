/* Which settings hold a message back, for who prints it. */

#ifndef PNEU_OPERATOR_HELDBY_H
#define PNEU_OPERATOR_HELDBY_H

#include "control/held.h"
#include "queue/item.h"

/* Sets the item's `held`: of its sender, his login, or a recipient who is not done. What lies in hold/ or bad/ is held by its folder. Returns 1,
 * or 0 with errno. */
extern int heldby(struct held *, struct item *);

#endif
