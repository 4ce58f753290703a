/* What pneu-queued does with the messages of a session: checks, then the
 * commit. */

#ifndef PNEU_QUEUE_QUEUED_H
#define PNEU_QUEUE_QUEUED_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/log.h"
#include "queue/commit.h"
#include "queue/parts.h"
#include "queue/receive.h"
#include "queue/space.h"

struct queued {
    /* of the daemon */
    uint32_t pneud, pneuf, pneuq; /* uids whose word on login, client, origin
                                     and listener counts */
    uint32_t databytes;
    struct space space;
    int trigger; /* -1: none */
    /* of the session */
    uint32_t uid; /* of the peer */
    size_t slot;
    int trusted;
    /* of the message */
    struct commit commit;
    struct parts parts;
    struct log line;  /* what is to be said of it once the client has its answer */
    int pending;      /* there is such a line */
    int delivers;     /* and a file */
    uint64_t size;    /* announced bytes */
    uint64_t bytes;   /* bytes so far */
    uint64_t checked; /* bytes for which there was space */
    uint64_t origin;  /* the uid that brought it: the peer, or whom pneu-filterd
                        names */
    int unlimited;    /* its listener has its own databytes */
};

extern struct receive_ops const queued_ops;

/* Prepares a session of that uid. */
extern void queued_session(struct queued *, uint32_t uid, size_t slot);

/* Reads the settings that may change while the daemon runs. Returns 1, or 0
 * with errno and *which. */
extern int queued_settings(struct queued *, char const **which);

/* Confines pneu-queued. Returns 1, or 0 with errno. */
extern int queued_confine(void);

#endif
