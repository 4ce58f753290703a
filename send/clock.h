/* What time it is, and how old a message is, whatever somebody does to the clock.
 *
 * Seconds are counted by CLOCK_BOOTTIME, which nobody can set; while the wall clock goes on with it, by the wall clock. A wall clock that
 * goes off by more than an hour at once was set: from then on it has another offset from the count. All offsets that it had
 * are kept, each with the time it had it, and tell what a message's arrival meant when it was written down. */

#ifndef PNEU_SEND_CLOCK_H
#define PNEU_SEND_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_OFFSETS 16
#define CLOCK_TEXT 1024 /* bytes of its file */
#define CLOCK_BOOTID 36

struct clock_offset {
    int64_t by;       /* wall minus count */
    int64_t from, to; /* of the count, when it was first and last seen */
};

struct clock {
    uint64_t boot;   /* milliseconds of CLOCK_BOOTTIME: what waiting is counted in */
    uint64_t wall;   /* seconds since 1970 */
    uint64_t base;   /* wall minus boot */
    uint64_t jumped; /* boot when the clock was set, within the last 25 hours; 0: it was not */
    int64_t count;   /* seconds, of this instance: the machine's being off does not count */
    unsigned int now, noffsets;
    struct clock_offset offsets[CLOCK_OFFSETS];
};

/* Reads both clocks (the first time with an all-zero struct, or one from clock_scan). Returns 1 if the wall clock was found to have
 * jumped, else 0. */
extern int clock_read(struct clock *);

/* The same for given readings. */
extern int clock_set(struct clock *, uint64_t boot, uint64_t wall);

/* Seconds since then, 0 if that lies ahead. Where the clock said so twice, since the later time. */
extern uint64_t clock_age(struct clock const *, uint64_t then);

/* All that is to be known at the next start, as text with a checksum; id is that of the machine's start. Returns the length. */
extern size_t clock_fmt(struct clock const *, char text[static CLOCK_TEXT], char const id[static CLOCK_BOOTID]);

/* Takes it up, in the same or another start of the machine (another id; boot is what it counts now). Returns 1, or 0 if it is damaged:
 * then the struct is all zero. */
extern int clock_scan(struct clock *, char const *text, size_t len, char const id[static CLOCK_BOOTID], uint64_t boot);

#endif
