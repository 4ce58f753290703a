/* Lengths of time as people write them: "90", "90s", "15m", "4h", "2d". */

#ifndef PNEU_LIB_SPAN_H
#define PNEU_LIB_SPAN_H

#include <stddef.h>
#include <stdint.h>

#define SPAN_MOST 315360000 /* seconds: ten years */

/* Reads one, a number alone is seconds. Returns how many bytes it is long, or 0 with EPROTO: it is none, longer than
 * SPAN_MOST, or something other than a blank or the end follows. */
extern size_t span_scan(char const *s, uint32_t *seconds);

/* Reads all of NUL-terminated items, each of which holds one or more, with blanks between. Returns how many there are
 * (at most max are kept), or -1 with EPROTO. */
extern int span_list(char const *items, size_t len, uint32_t *seconds, unsigned int max);

/* "N/TIME": a number of things in so many seconds. Returns 1, or 0 with EPROTO; neither is 0 then. */
extern int span_rate(char const *s, uint32_t *number, uint32_t *seconds);

#endif
