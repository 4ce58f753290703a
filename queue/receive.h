/* The server's side of run/intake (intake(5)): frames in, answers out. What
 * becomes of a message is up to the functions it is given: pneu-queued's and
 * pneu-filterd's. */

#ifndef PNEU_QUEUE_RECEIVE_H
#define PNEU_QUEUE_RECEIVE_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/intake.h"

enum receive_verdict {
    RECEIVE_REFUSED, /* the answer says why; the session ends with it */
    RECEIVE_GO,      /* go on, no answer is due */
    RECEIVE_ANSWER   /* go on, and send the answer */
};

/* What to do with the parts of a message. Each gets `data`, and fills the
 * answer unless it returns RECEIVE_GO. */
struct receive_ops {
    enum receive_verdict (*begin)(void *data, struct bytes opening, struct intake_answer *);
    enum receive_verdict (*more)(void *data, char const *s, size_t len, struct intake_answer *);
    enum receive_verdict (*end)(void *data, struct bytes closing, struct intake_answer *);
    void (*drop)(void *data); /* the message that was begun will never end */
    void (*told)(void *data); /* the answers are sent: what nobody waits for; may be 0 */
};

struct receive {
    struct receive_ops const *ops;
    void *data;
    int phase;   /* 0 between messages; then message, closing envelope */
    stralloc in; /* received; `taken` bytes of it are done with */
    size_t taken;
    stralloc out; /* answers to send */
};

#define RECEIVE_ZERO                                                                                                   \
    {                                                                                                                  \
        .in = STRALLOC_ZERO, .out = STRALLOC_ZERO                                                                      \
    }

/* Before a session: what another left is forgotten, its memory is kept. */
extern void receive_begin(struct receive *, struct receive_ops const *, void *data);

/* Makes an answer. `text` begins with the enhanced status code. */
extern void receive_answer(struct intake_answer *, char class, unsigned int exit, char const *text);

/* The same for an error of this system: ENOSPC, ENOMEM and so on, always
 * temporary. */
extern void receive_answer_errno(struct intake_answer *, int e);

/* Appends an answer's frame. Returns 1, or 0 with ENOMEM. */
extern int receive_answer_put(stralloc *to, struct intake_answer const *);

/* Works off all whole frames in r->in. Returns 1, or 0 if the session ends once
 * r->out is sent. */
extern int receive_feed(struct receive *);

/* Serves one session until its end: a refusal, garbage, the client's end, an
 * error, or `seconds` without progress to the next message's end. SIGTERM must
 * be blocked; between two messages it ends the process, in one it waits. */
extern void receive_run(struct receive *, int fd, uint32_t seconds);

#endif
