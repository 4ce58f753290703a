/* One job: a message, its recipients at one domain, and what became of each of them. */

#ifndef PNEU_REMOTE_DELIVERY_H
#define PNEU_REMOTE_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "lib/smtp.h"
#include "remote/peer.h"

#define VERDICT_TEXT 1000

/* What is said of one or many recipients. */
struct verdict {
    char class; /* K delivered, Z not now, D never */
    char dsn;   /* K: the peer knows what the sender wants to hear */
    char code[SMTP_ENHANCED_MAX + 1];
    char remote[PEER_REMOTE]; /* who said so; empty: we did */
    size_t len;
    char text[VERDICT_TEXT]; /* a reply with its code, or our own words */
};

/* Our own words, up to three that follow each other; NULL ends them early. */
extern void verdict_say(struct verdict *, char class, char const *code, char const *a, char const *b, char const *c);

/* A peer's last reply: 2xx is K, 5xx D, everything else Z. */
extern void verdict_reply(struct verdict *, struct peer const *, unsigned int code);

/* "WHAT: error text" of something that happened on a connection, Z. */
extern void verdict_error(struct verdict *, struct peer const *, char const *code, char const *what, int e);

enum recipient_state {
    RECIPIENT_WAITING,  /* to be tried */
    RECIPIENT_GOING,    /* in this transaction, the reply is to come */
    RECIPIENT_ACCEPTED, /* the message follows */
    RECIPIENT_LATER,    /* too many for this transaction */
    RECIPIENT_SETTLED   /* has its outcome */
};

struct recipient {
    struct bytes to, from, notify, orcpt;
    uint32_t index;
    uint32_t outcome;
    unsigned char state, reported;
};

/* A verdict as it is kept, once for all who share it. remote and text lie in delivery.texts. */
struct outcome {
    char class;
    unsigned char own;      /* about this recipient alone: the reply to RCPT */
    unsigned char accepted; /* RCPT was accepted before */
    unsigned char dsn;
    char code[SMTP_ENHANCED_MAX + 1];
    size_t remote, remotelen, text, textlen;
};

#define DELIVERY_CHUNK 65536

struct delivery {
    int fd;
    uint64_t offset, length;
    struct bytes body, ret, envid;
    int smtputf8;
    struct bytes site; /* who serves the domain, once that is known */
    struct recipient *recipients;
    size_t count, room;
    struct outcome *outcomes;
    size_t noutcomes, outcomesroom;
    stralloc texts;
    uint64_t chunkat; /* where in the message `chunk` begins */
    size_t chunklen;
    char *chunk; /* DELIVERY_CHUNK bytes; may be reused from delivery to delivery */
};

#define DELIVERY_ZERO                                                                                                  \
    {                                                                                                                  \
        .fd = -1, .texts = STRALLOC_ZERO                                                                               \
    }

/* Begins another delivery: forgets recipients and outcomes, keeps the memory. Returns 1, or 0 with ENOMEM. */
extern int delivery_begin(struct delivery *, int fd, uint64_t offset, uint64_t length);

/* Adds a recipient; the bytes stay the caller's. Returns 1, or 0 with ENOMEM. */
extern int delivery_add(struct delivery *, struct recipient const *);

/* Settles one recipient. Without memory it stays without an outcome, which says the same as "not now". */
extern void delivery_settle(struct delivery *, struct recipient *, struct verdict const *, int own);

/* Settles all recipients in states `from` to `to`, both included. */
extern void delivery_settle_all(struct delivery *, enum recipient_state from, enum recipient_state to,
                                struct verdict const *);

/* Puts those of one state into another. */
extern void delivery_turn(struct delivery *, enum recipient_state from, enum recipient_state to);

/* The first recipient in that state at or behind that place; NULL if there is none. */
extern struct recipient *delivery_find(struct delivery const *, size_t at, enum recipient_state);

/* Makes the chunk that begins there present. Returns 1, or 0 with errno; EIO if the message ends too early. */
extern int delivery_load(struct delivery *, uint64_t at);

#endif
