/* The client's side of run/intake, the one way into the queue (intake(5)).
 *
 * A session is a stream socket; message after message goes over it, each so:
 *
 *   client   N:records,      opening envelope: what is known already, may be
 * empty server   N:answer,       only if the opening holds ask=1 client
 * N:bytes, ...    the message in chunks, none empty, each at most
 * INTAKE_CHUNK_MAX client   0:,             end of the message client
 * N:records,      closing envelope: the rest, may be empty server   N:answer,
 *
 * An answer is: one letter K (queued, or: go on), Z (not now), D (never);
 * qmail-queue's exit code in decimal; a blank; an enhanced status code; a
 * blank; text. K's text is the message's ID. After Z or D to an opening, and
 * after a refusal while the message comes in, the server closes. Lines of the
 * message end in LF. Nothing is queued unless the closing envelope came in
 * whole. */

#ifndef PNEU_QUEUE_INTAKE_H
#define PNEU_QUEUE_INTAKE_H

#include <stddef.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/netstring.h"

#define INTAKE_CHUNK_MAX 65536
#define INTAKE_ANSWER_MAX 1000

struct intake_answer {
    char class;                       /* K, Z or D */
    unsigned int exit;                /* qmail-queue's code */
    char text[INTAKE_ANSWER_MAX + 1]; /* "2.0.0 ID", "4.3.1 queue disk is full" */
};

/* A session's client end. */
struct intake {
    int fd;        /* -1: no session */
    stralloc out;  /* what was not written yet */
    tain deadline; /* absolute, for everything that follows; the caller sets it
                    */
    int refused;   /* the server hung up before the end: intake_end fetches its
                      answer */
    int filtered;  /* it is run/filter's */
};

#define INTAKE_ZERO                                                                                                    \
    {                                                                                                                  \
        .fd = -1, .out = STRALLOC_ZERO                                                                                 \
    }

/* Connects to the intake of this instance (the working directory is
 * $PNEU_HOME): run/filter where control/filter exists, else run/intake.
 * $PNEU_INTAKE names another socket. The stopwatch of tain_now must be set.
 * Returns 1, or 0 with errno. */
extern int intake_open(struct intake *);

/* 1 if an open session would lead elsewhere if it were opened now: a filter came or went. */
extern int intake_stale(struct intake const *);
extern void intake_close(struct intake *);

/* One message. Each returns 1, or 0 with errno (ETIMEDOUT at the deadline);
 * then the session is closed and the message is not queued. The opening may
 * hold ask=1: then the answer is fetched with intake_answer. */
extern int intake_begin(struct intake *, struct bytes opening);
extern int intake_data(struct intake *, char const *s, size_t len);
extern int intake_end(struct intake *, struct bytes closing, struct intake_answer *);
extern int intake_answer(struct intake *, struct intake_answer *);

#endif
