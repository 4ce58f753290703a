/* The date of a message (RFC 5322 section 3.3), made without locale, time zone
 * files or memory. */

#ifndef PNEU_LIB_DATE_H
#define PNEU_LIB_DATE_H

#include <stddef.h>
#include <stdint.h>

#define DATE_SIZE 40 /* with the final NUL */

/* Writes "Sat, 21 Nov 2026 21:30:00 +0000", NUL-terminated.
 * seconds  since 1970, UTC; beyond the year 9999 it stays at its last second
 * east     minutes of the zone east of UTC, from -1439 to 1439; others count as
 * 0 Returns the length without the NUL. */
extern size_t date_fmt(char s[static DATE_SIZE], uint64_t seconds, int east);

#endif
