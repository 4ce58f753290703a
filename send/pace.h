/* How much at a time, and how often, one destination is given: more while it answers, less when it does not; nothing
 * for a while when it was dead several times. All times are milliseconds of the caller's clock. */

#ifndef PNEU_SEND_PACE_H
#define PNEU_SEND_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PACE_FIRST 5   /* jobs at a time while nothing is known */
#define PACE_DEAD 3    /* jobs in a row that found no host: it is dead */
#define PACE_SLOW 5000 /* milliseconds; whoever takes longer for a job is slow */
#define PACE_LATER 16  /* a dead host is left alone for at most that many times deadtime */
#define PACE_TEXT 160

struct pace {
    uint32_t window;         /* jobs at a time */
    uint32_t limit;          /* its most */
    uint32_t steep;          /* below, it grows by one a success; from there on, by one a window's successes */
    uint32_t credit;         /* successes since it grew */
    uint32_t failures;       /* in a row */
    uint32_t deadtime;       /* milliseconds; 0: it is never dead */
    uint32_t deadlast;       /* how long it was dead the last time */
    uint64_t dead;           /* until then; 0: it is not */
    uint64_t paused;         /* the same because somebody's rule says so; what else is found does not end it */
    uint64_t died;           /* when either was found */
    uint64_t free;           /* when the next job may start */
    uint64_t moved;          /* when a job began or ended last */
    uint32_t number, period; /* number jobs in that many milliseconds; 0: as many as one likes */
    uint8_t slow;
    char why[PACE_TEXT]; /* what its last failure was, NUL-terminated */
};

/* A destination that nothing is known of. */
extern void pace_init(struct pace *, uint32_t limit);

/* Limits may change at any time. */
extern void pace_limits(struct pace *, uint32_t limit, uint32_t deadtime, uint32_t number, uint32_t period);

/* 1 while it is dead or paused. When that time is over, one job is let through to see. */
extern int pace_dead(struct pace *, uint64_t now);

/* Nothing for that many milliseconds; the text was noted before. */
extern void pace_pause(struct pace *, uint64_t time, uint64_t now);

/* 1 if it is dead or paused, or was and nobody has looked since. */
extern int pace_rests(struct pace const *);

/* When the next job may start, as far as its rate is concerned. */
extern uint64_t pace_next(struct pace const *, uint64_t now);

/* A job begins; `running` with it. */
extern void pace_begin(struct pace *, uint32_t running, uint64_t now);

enum pace_result {
    PACE_GOOD,   /* the host did its work */
    PACE_AS_IS,  /* it answered, and no more can be said */
    PACE_TROUBLE /* it did not answer, or wants less */
};

/* A job that took so long ended; trouble's text was noted before. */
extern void pace_end(struct pace *, enum pace_result, uint64_t took, uint64_t now);

extern void pace_note(struct pace *, char const *text, size_t len);

/* While jobs run: is it slow by now? Called PACE_SLOW after a beginning. */
extern void pace_look(struct pace *, uint64_t now);

/* Somebody asked at that time that it be tried: if it died before, that is forgotten. */
extern void pace_revive(struct pace *, uint64_t asked);

#endif
