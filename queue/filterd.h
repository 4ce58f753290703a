/* What pneu-filterd does with the messages of a session: keeps each in a file without a name until it is whole, then has
 * control/filter's programs run on it, the last of which is pneu-queue.
 *
 * A session is two processes. The one that reads the client is confined to the descriptors it has; the other starts the
 * programs, which may do what they like, and hears nothing from the client: a byte says "run", a byte comes back. */

#ifndef PNEU_QUEUE_FILTERD_H
#define PNEU_QUEUE_FILTERD_H

#include <stddef.h>
#include <stdint.h>

#include "queue/parts.h"
#include "queue/receive.h"
#include "queue/space.h"

struct filterd {
    /* of the daemon */
    uint32_t pneud, pneuf, pneuq;
    uint32_t databytes;
    uint32_t seconds; /* how long the programs may take for one message */
    struct space space;
    /* of the session */
    uint32_t uid;
    size_t slot;
    int runner;   /* socket to the process that starts the programs */
    int message;  /* files without a name, written here, read by the programs: the message, */
    int envelope; /* qmail-queue's envelope, */
    int records;  /* and the records that go beside it ($PNEU_ENVELOPE) */
    /* of the message */
    struct parts parts;
    struct {
        char name[4096 + 16]; /* "UID TOKEN": the token of another uid is another token */
        size_t len;
    } token;
    uint64_t origin, bytes;
    int unlimited;
};

extern struct receive_ops const filterd_ops;

/* Prepares a session: the files, the process that starts programs, and the confinement of the caller. Returns 1, or 0 with
 * errno. Everything that is started gets `seconds` and is ended then. */
extern int filterd_session(struct filterd *, uint32_t uid, size_t slot, int client);

/* Makes pneu-queue's descriptor 1: "Fsender\0Trecipient\0...\0" of the envelope. Returns 1, or 0 with errno. */
extern int filterd_envelope(stralloc *to, struct bytes envelope);

/* Runs control/filter's words and pneu-queue on those files. Returns the exit code; a signal is QUEUE_BUG. */
extern int filterd_run(int message, int envelope, int records, uint32_t seconds);

/* The answer to an exit code of the programs: 11 to 40 for ever, others for now. */
extern void filterd_judge(int code, struct intake_answer *);

/* Confines the process that reads the client. Returns 1, or 0 with errno. */
extern int filterd_confine(void);

#endif
