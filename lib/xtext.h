/* xtext (RFC 3461 section 4): printing ASCII, with "+HH" for '+', '=' and everything else. */

#ifndef PNEU_LIB_XTEXT_H
#define PNEU_LIB_XTEXT_H

#include <stddef.h>

#include <skalibs/stralloc.h>

/* 1 if that is xtext, and what it stands for is printing ASCII and blanks, which ENVID and ORCPT want. */
extern int xtext_valid(char const *s, size_t len);

/* Appends bytes in that form. Returns 1, or 0 with ENOMEM. */
extern int xtext_put(stralloc *to, char const *s, size_t len);

/* Appends what valid xtext stands for. Returns 1, or 0 with ENOMEM. */
extern int xtext_get(stralloc *to, char const *s, size_t len);

#endif
