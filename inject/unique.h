/* A recipient who is named twice gets one copy. */

#ifndef PNEU_INJECT_UNIQUE_H
#define PNEU_INJECT_UNIQUE_H

#include <skalibs/stralloc.h>

/* Removes from a list of strings, each ended by NUL, those that stand before in it. The order stays. Returns 1, or 0
 * with ENOMEM. */
extern int unique_strings(stralloc *list);

#endif
