/* Netstrings (D. J. Bernstein, 1997): "5:hello,". The framing of everything
 * pneu's programs say to each other. */

#ifndef PNEU_LIB_NETSTRING_H
#define PNEU_LIB_NETSTRING_H

#include <stddef.h>

#include <skalibs/stralloc.h>

#define NETSTRING_DIGITS 10 /* of a length; more is malformed, so is a leading zero */

/* Bytes that are read once, from the front. */
struct bytes {
    char const *s;
    size_t len;
};

/* Takes the netstring at the front of `in` off it.
 * Returns 1; 0 if it is not complete yet (nothing is taken); -1 with EPROTO if
 * no netstring begins so, or EMSGSIZE if it would be longer than `max`. An
 * empty `in` is 0. */
extern int netstring_take(struct bytes *in, size_t max, struct bytes *item);

/* Appends one to `to`. Returns 1, or 0 with ENOMEM. */
extern int netstring_put(stralloc *to, char const *s, size_t len);

/* Bytes that the frame of a netstring of `len` bytes has beside these. */
extern size_t netstring_overhead(size_t len);

#endif
