/* The order in which pneu-list prints: all is kept, then sorted. */

#ifndef PNEU_OPERATOR_ORDER_H
#define PNEU_OPERATOR_ORDER_H

#include <skalibs/stralloc.h>

#include "queue/item.h"

struct order {
    char key; /* 0: as they are met */
    int reverse;
    stralloc entries;
};

/* id (by age of their names), age, size, next, tries, from. Returns 1, or 0: there is no such key. */
extern int order_named(struct order *, char const *key);

/* What was printed of the item lies from begin to end. Returns 1, or 0 with ENOMEM. */
extern int order_add(struct order *, struct item const *, size_t begin, size_t end);

/* Puts the text in order, after which `text` is free. Returns 1, or 0 with ENOMEM. */
extern int order_sort(struct order *, stralloc *text, stralloc *sorted);

#endif
