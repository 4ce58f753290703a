/* Where a message goes: over run/intake into the queue, through the program that $PNEU_QUEUE names, or to descriptor 1. */

#ifndef PNEU_INJECT_SINK_H
#define PNEU_INJECT_SINK_H

#include <stddef.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

#include "queue/intake.h"

/* The envelope, known before the message is sent. Unset members are NULL. */
struct sink_envelope {
    char const *sender;
    stralloc const *recipients; /* each ended by NUL */
    char const *body;           /* 7BIT or 8BITMIME */
    char const *ret, *envid;    /* RFC 3461; envid as xtext */
    char const *notify;         /* of every recipient */
};

enum sink_result {
    SINK_QUEUED,
    SINK_NEVER,  /* refused for good */
    SINK_LATER,  /* refused for now */
    SINK_BROKEN, /* no queue there: errno says why */
};

struct sink {
    struct intake intake;
    stralloc closing; /* its closing envelope */
    pid_t child;      /* of $PNEU_QUEUE, 0 if there is none */
    int to, envelope; /* its descriptors 0 and 1 */
    int gone;         /* it reads no more */
    stralloc out;     /* for descriptor 0 or 1, not yet written */
    stralloc why;     /* NUL-terminated: what the queue said */
};

#define SINK_ZERO                                                                                                      \
    {                                                                                                                  \
        .intake = INTAKE_ZERO, .to = -1, .envelope = -1                                                                \
    }

/* A step of the dialogue with the queue may take so many seconds: filters may be slow. */
#define SINK_TIMEOUT 3600

/* Opens the way: to `program`, or over the intake if that is NULL. Returns 1, or 0 with errno. */
extern int sink_open(struct sink *, char const *program, struct sink_envelope const *);

/* Opens descriptor 1 instead. */
extern void sink_print(struct sink *);

/* Bytes of the message. Returns 1, or 0 with errno. A queue that refuses in the middle is heard at the end. */
extern int sink_put(struct sink *, char const *bytes, size_t len);

/* 1 if the queue refused in the middle: what more there is of the message need not be read. */
extern int sink_refused(struct sink const *);

/* The end of the message. Unless this is SINK_QUEUED, nothing is queued. */
extern enum sink_result sink_close(struct sink *);

/* Gives up: the queue sees no end of the message and forgets it. */
extern void sink_abort(struct sink *);

#endif
