/* The part of pneu-spawn that talks: takes jobs from pneu-send, hands each to a
 * deliverer, carries the results back. It has no rights but its sockets and, for
 * -L, the users' table and a folder for copies of large messages. */

#ifndef PNEU_SEND_SPAWN_H
#define PNEU_SEND_SPAWN_H

#include <stdint.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "queue/job.h"

#define SPAWN_WORKERS_MAX 500

/* A job of pneu-send's. */
struct spawn_order {
    uint64_t number;
    uint64_t session; /* of pneu-send's connection */
    int lock;         /* the queue file: holds its lock while the job lasts */
    int copy;         /* of the message; -1 where the queue file itself is given */
    unsigned int pieces;
};

/* The part of a job that one deliverer gets: all of it, or the recipients of one
 * uid and home. */
struct spawn_piece {
    struct spawn_piece *next;
    struct spawn_order *order;
    char kind; /* SPAWN_LOCAL and so on */
    uint32_t uid;
    stralloc home, key, frame;
    stralloc address; /* that the starter looks up */
    stralloc owed;    /* array of uint32_t: recipients without a result */
};

struct spawn_worker {
    struct jobwire wire; /* fd -1: a slot that waits, or is free */
    int used;
    char kind;
    uint32_t uid;
    stralloc home, key;
    struct spawn_piece *piece; /* NULL: idle */
    uint64_t jobs;             /* done */
    tain born;
    tain until; /* idle: when it is ended; dead: when its slot is free */
};

struct spawn {
    int local;
    int listener, root;
    uint32_t peer; /* the only uid that is listened to */
    struct jobwire send;
    uint64_t session;
    tain deaf;  /* no connection is taken before */
    int broken; /* pneu-send's connection is to be closed */
    struct spawn_piece *waiting, **last;
    tain pause;  /* no deliverer is started before */
    tain reread; /* nor the limit read again before this */
    unsigned int limit, workers;
    struct spawn_worker worker[SPAWN_WORKERS_MAX];
};

/* Serves until the starter or the listener is gone. Returns 0 with errno. */
extern int spawn_serve(struct spawn *);

/* ---- spawnjob.c ---- */

/* Makes an order and its pieces of a frame from pneu-send, or answers at once.
 * fd becomes the order's. Returns 1, or 0 with errno: EPROTO, ENOMEM. */
extern int spawn_order(struct spawn *, struct bytes frame, int fd);

/* Takes a result from a deliverer: 1 and *done, or 0 with EPROTO if it is not one
 * it may give. */
extern int spawn_result(struct spawn *, struct spawn_piece *, struct bytes frame, int *done);

/* Answers all that is owed, "Z4.3.0 text", and ends the piece. */
extern void spawn_refuse(struct spawn *, struct spawn_piece *, char const *answer);

/* Ends the piece, and the order with its last. */
extern void spawn_end(struct spawn *, struct spawn_piece *);

/* ---- spawncopy.c ---- */

/* Copies a part of a file, to memory that nobody can change any more, or, if it is
 * large, to a file without a name in `folder`. Returns it, or -1 with errno. */
extern int spawn_copy(int from, uint64_t offset, uint64_t length, char const *folder);

/* A fresh description of it, for reading only. Returns it, or -1 with errno. */
extern int spawn_reopen(int fd);

/* ---- workers.c ---- */

/* Gives waiting pieces to deliverers. Returns 1, or 0: the starter is gone. */
extern int workers_dispatch(struct spawn *);

/* Something came from that deliverer, or it can take more. */
extern void workers_turn(struct spawn *, struct spawn_worker *);

/* Ends what has been idle too long, frees slots. *next becomes the earliest time
 * at which it should be called again, if that is before. */
extern void workers_tick(struct spawn *, tain *next);

/* ---- spawnbox.c ---- */

extern int spawn_confine(int local);

#endif
