/* One connection with a remote host: bytes out and in, never blocking without a deadline, never deadlocked:
 * whoever waits for a reply writes what is left to write in the meantime, and the other way round. */

#ifndef PNEU_REMOTE_PEER_H
#define PNEU_REMOTE_PEER_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/dns.h"
#include "lib/ip.h"
#include "lib/smtp.h"

#define PEER_IN 8192
#define PEER_REMOTE (DNS_NAME + IP_FMT + 3)

/* An address to connect to. */
struct target {
    char name[DNS_NAME];
    struct ip ip;
    uint16_t port;
};

struct peer {
    int fd; /* -1: none */
    struct target target;
    char remote[PEER_REMOTE]; /* "mx.example.org (192.0.2.1)" */
    struct smtp_features features;
    struct smtp_reply reply; /* the last one */
    stralloc out;            /* to be sent */
    size_t sent;
    size_t begin, end;     /* of the bytes in `in` not yet read */
    unsigned int messages; /* sent over it */
    int dirty;             /* a transaction is open: RSET first */
    int broken;            /* it takes nothing any more */
    char in[PEER_IN];
};

#define PEER_ZERO                                                                                                      \
    {                                                                                                                  \
        .fd = -1, .out = STRALLOC_ZERO                                                                                 \
    }

/* Fills `remote` with how this target is called. */
extern void target_fmt(struct target const *, char remote[static PEER_REMOTE]);

/* Connects. Returns 1, or 0 with errno (ETIMEDOUT at the deadline). */
extern int peer_connect(struct peer *, struct target const *, tain const *deadline);

/* Adds bytes to what will be sent. Returns 1, or 0 with ENOMEM. */
extern int peer_put(struct peer *, char const *s, size_t len);
extern int peer_puts(struct peer *, char const *s);

/* Sends all of it. Returns 1, or 0 with errno; EPIPE and ECONNRESET if the other side is gone. */
extern int peer_flush(struct peer *, tain const *deadline);

/* Sends all of it and reads one reply, into `reply`. Returns its code; 0 at the end of file; -1 with errno. */
extern int peer_reply(struct peer *, tain const *deadline);

/* Says QUIT if that goes at once, and closes. Nobody waits for the answer. */
extern void peer_quit(struct peer *);
extern void peer_close(struct peer *);

#endif
