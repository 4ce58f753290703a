/* queue/lock/clock: what pneu-send knew of the clocks, for its next start. */

#ifndef PNEU_SEND_CLOCKFILE_H
#define PNEU_SEND_CLOCKFILE_H

#include "send/clock.h"

#define CLOCKFILE_EVERY 60000 /* milliseconds of clock.boot */

struct clockfile {
    int fd;         /* -1: it cannot be used, and the clock is believed at the next start */
    uint64_t saved; /* clock.boot when */
    char id[CLOCK_BOOTID];
};

/* Opens it, makes it if it is missing, takes up what it holds, and reads the clocks. */
extern void clockfile_open(struct clockfile *, struct clock *);

/* Writes it. Nothing is synced: after a power cut some seconds did not count. */
extern void clockfile_save(struct clockfile *, struct clock const *);

#endif
