/* A daemon on a listening Unix socket: one forked child a session, limits by
 * uid, an end that lets sessions finish. Used by pneu-queued and pneu-filterd.
 */

#ifndef PNEU_QUEUE_SERVE_H
#define PNEU_QUEUE_SERVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVE_GRACE 30 /* seconds that sessions get to finish once we are told to end */
#define SERVE_OWN 3    /* uids of pneu's own that may have slots nobody else gets */

struct serve_child {
    pid_t pid; /* 0: a free slot */
    uint32_t uid;
};

struct serve {
    uint32_t own[SERVE_OWN];
    uint32_t sessions; /* at a time, at most `slots` */
    uint32_t peruid;   /* of these for one uid that is none of own[]; all of those
                        together get three of four */
    size_t slots;
    struct serve_child *children;
    void *data;
    /* Called before a session begins, at most once a second: the settings may
     * have changed. */
    void (*refresh)(struct serve *);
    /* A session, in its own process. SIGTERM and SIGCHLD are blocked. */
    void (*session)(void *data, int fd, uint32_t uid, size_t slot);
    /* That slot's session is over. */
    void (*gone)(void *data, size_t slot);
};

/* Makes the table and the descriptor that tells of signals: what must be done
 * before confine. Returns that, or -1 with errno. */
extern int serve_init(struct serve *, size_t slots);

/* 1 if one more session of that uid is within the limits. */
extern int serve_admits(struct serve const *, uint32_t uid);

/* Serves the listening descriptor 0 until SIGTERM. Returns 1, or 0 with errno.
 */
extern int serve_run(struct serve *, int signals);

#endif
