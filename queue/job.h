/* Jobs: pneu-send -> pneu-spawn -> deliverer, and results on the same way back
 * (job(5)). Everything is a netstring of records (queue/envelope.h) on a stream
 * socket.
 *
 * A job, with the message's descriptor sent along with the first byte of its
 * frame (SCM_RIGHTS):
 *   job=NUMBER          chosen by pneu-send, named in each result
 *   transport=remote    SMTP to the domain of the recipients
 *             local     a user of this system: `to` is LOCALPART@DOMAIN after
 *                       virtualdomains
 *             mailbox   a virtual mailbox: `to` is the address
 *   key=TEXT            jobs of one key may use one connection, or one process
 *   id=ID               the message's
 *   offset=N length=N   where the message lies in the descriptor: read with
 *                       pread, the offset is shared
 *   again=1             it may have been delivered before: look twice
 *   and of the envelope: from, body, smtputf8, ret, envid, requiretls
 * then each recipient:
 *   to=ADDRESS index=N  its number in the envelope; also from= (its own
 *                       sender), notify=, orcpt=; and, added by pneu-spawn -L,
 *                       user= home= dash= ext= as users_find says
 *
 * Results, any number for one job, the last has done=1:
 *   job=NUMBER  class=K|Z|D  code=5.1.1  to=0-3,7 (indices)  remote=HOST
 *   text=TEXT  [site=NAME]  [dsn=1]  [done=1]
 * site: who serves this domain, the same name for all domains that are served
 * there. dsn=1: the next host was told what the sender wants to hear (RFC 3461).
 * A frame may be only job= and done=1. A recipient without a result at `done`
 * is Z.
 *
 * pneu-spawn answers a job whose deliverer died with class=Z for what has no
 * result, and done=1. */

#ifndef PNEU_QUEUE_JOB_H
#define PNEU_QUEUE_JOB_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/envelope.h"

#define JOB_MAX 4194304   /* bytes of a job's frame */
#define RESULT_MAX 131072 /* bytes of a result's frame */

/* A job that was read. Pointers lead into the frame. */
struct job {
    uint64_t number;
    struct bytes transport, key, id;
    struct bytes from;
    struct bytes body, ret, envid;
    uint64_t offset, length;
    int again, smtputf8, requiretls;
    struct bytes recipients; /* cursor for job_next */
    uint32_t count;          /* of recipients */
};

struct job_recipient {
    struct bytes to, from; /* from: its own, or the job's */
    struct bytes notify, orcpt;
    struct bytes user, home, dash, ext; /* home.s: NULL if not said */
    uint32_t index;
};

/* Reads a frame. Returns 1, or 0 with EPROTO. */
extern int job_scan(struct bytes frame, struct job *);

/* The next recipient. Returns 1, 0 at the end. */
extern int job_next(struct job const *, struct bytes *cursor, struct job_recipient *);

struct result {
    uint64_t job;
    char class; /* 0: the frame says only that it is done */
    struct bytes code, to, remote, text;
    struct bytes site; /* the mail host that serves this destination, perhaps among others */
    int dsn;           /* it takes care of NOTIFY itself */
    int done;
};

/* Reads a frame. Returns 1, or 0 with EPROTO. */
extern int result_scan(struct bytes frame, struct result *);

/* Appends the frame (a netstring) of one result. Returns 1, or 0 with ENOMEM.
 */
extern int result_put(stralloc *to, struct result const *);

/* The transport socket: frames out and in, descriptors along with frames, never
 * blocking. */
struct jobwire {
    int fd;
    stralloc in; /* received, not yet taken */
    size_t taken;
    stralloc out; /* to be sent */
    size_t sent;
    int fds[64]; /* received descriptors, in order of their frames */
    unsigned int nfds;
    struct {
        size_t at;
        int fd;
    } pending[64]; /* descriptors to send, at which byte of out */
    unsigned int npending;
};

#define JOBWIRE_ZERO                                                                                                   \
    {                                                                                                                  \
        .fd = -1, .in = STRALLOC_ZERO, .out = STRALLOC_ZERO                                                            \
    }

/* Takes over a connected stream socket and makes it non-blocking. Returns 1, or
 * 0 with errno. */
extern int jobwire_init(struct jobwire *, int fd);

/* Queues one frame (without its netstring wrapping), and with it a descriptor
 * if fd is not -1; that is duplicated, the caller keeps his. Returns 1, or 0
 * with errno: ENOMEM, EMFILE, ENOBUFS (64 descriptors wait: flush first). */
extern int jobwire_put(struct jobwire *, struct bytes frame, int fd);

/* The same, but the descriptor is the wire's from now on, on failure too. */
extern int jobwire_give(struct jobwire *, struct bytes frame, int fd);

/* Sends what goes without waiting. Returns 1 all sent, 0 some left, -1 with
 * errno. */
extern int jobwire_flush(struct jobwire *);

/* Receives what is there. Returns 1 if something came, 0 if nothing, -1 with
 * errno; EPIPE at the end of file, EMFILE if a descriptor was lost on the way. */
extern int jobwire_fill(struct jobwire *);

/* Takes the next whole frame; it stays valid until the next jobwire_fill.
 * Returns 1, 0 none, -1 with EPROTO. */
extern int jobwire_take(struct jobwire *, size_t max, struct bytes *frame);

/* Takes the descriptor of the frame just taken; -1 with EPROTO if none came. */
extern int jobwire_takefd(struct jobwire *);

/* Closes everything and frees it. */
extern void jobwire_free(struct jobwire *);

#endif
