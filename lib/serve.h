/* A daemon on a listening socket: one forked child a session, limits by who calls, an end that lets sessions finish.
 * pneu-queued, pneu-filterd and pneu-smtpd -s are made of it. */

#ifndef PNEU_LIB_SERVE_H
#define PNEU_LIB_SERVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVE_GRACE 30 /* seconds that sessions get to finish once we are told to end */
#define SERVE_AGAIN 32 /* children at a time that may take another session */
#define SERVE_REST 1   /* seconds: older children take none, so each has settings as new as that */

struct serve_child {
    pid_t pid; /* 0: a free slot */
    uint64_t key, rest;
    int way; /* for its next session's descriptor; -1: it will get none */
};

struct serve {
    size_t slots; /* sessions at a time, for the table; admits() may know of less */
    int again;    /* a child takes session after session of its key: to fork costs more than a message */
    int leaves;   /* SIGTERM ends it alone, its children go on without it; SIGQUIT ends them too */
    void *data;   /* given to each function */
    /* Tells who calls: key[0] for the limits; with key[1], which is 0 before, it is one who may get another's child. Returns 1; 0: hang up. */
    int (*who)(void *data, int fd, uint64_t *key);
    /* 1 if one more session of that key is within the limits. */
    int (*admits)(struct serve const *, uint64_t key);
    /* A client gets no session: it is over the limits (error 0), or there is no process for it. Must not wait. */
    void (*refuse)(void *data, int fd, uint64_t key, int error);
    /* Called before a session begins, at most once a second: the settings may have changed. */
    void (*refresh)(void *data);
    /* A session, in a child. SIGTERM, SIGQUIT and SIGCHLD are blocked. It may be called again for another of that key. */
    void (*session)(void *data, int fd, uint64_t key, size_t slot);
    /* That slot's child is gone, by this signal or 0. */
    void (*gone)(void *data, size_t slot, struct serve_child const *, int sig);
    /* its own */
    struct serve_child *children;
    size_t used;                 /* slots from here on are free: a limit may be large, and is not gone through */
    _Atomic unsigned char *idle; /* shared, a slot each: set by a child that waits for a session, cleared for it */
    size_t ways;                 /* children that may get one */
};

/* Makes the table and the descriptor that tells of signals: what must be done before confine. Returns that, or -1 with
 * errno. */
extern int serve_init(struct serve *);

/* Counts the sessions: all, and those of that key. */
extern void serve_count(struct serve const *, uint64_t key, uint32_t *all, uint32_t *same);

/* Serves the listening descriptor 0 until SIGTERM or SIGQUIT. Returns 1, or 0 with errno. */
extern int serve_run(struct serve *, int signals);

#endif
