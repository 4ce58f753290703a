/* Patterns of addresses and names: '*' any bytes, '?' one; ASCII letters of either case are the same. */

#ifndef PNEU_LIB_PATTERN_H
#define PNEU_LIB_PATTERN_H

#include <stddef.h>

/* 1 if the whole of s matches. Time is at most the product of both lengths, whatever they hold. */
extern int pattern_matches(char const *pattern, char const *s, size_t len);

#endif
