/* The accept commit: the only code that makes queue files (queue(5)).
 *
 * The file is made without a name in queue/new, written, its header last, and
 * fsync()ed; then it gets its name, and the folder is fsync()ed; only then may
 * anybody say yes. A cut before the name leaves nothing, one between the name
 * and the answer leaves a whole message whose sender tries again: a duplicate,
 * never a loss. A failed fsync is not tried again, since the kernel may have
 * forgotten the pages it could not write: the file is given up.
 *
 * A message of one write, which has no token, gets its name before both fsyncs: one commit of
 * the file system's journal serves both, where the other order waits for two.
 * What a cut may leave of it is whole, or told by its checksums; see name_first. */

#ifndef PNEU_QUEUE_COMMIT_H
#define PNEU_QUEUE_COMMIT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/id.h"

#define COMMIT_BUFFER 65536 /* messages below this are one write */

struct commit {
    int dir;    /* queue/new, opened once: no lack of descriptors can strike after
                the fsync */
    int fd;     /* the file; -1: none yet */
    int dotted; /* it has the name ".ID": this file system knows no O_TMPFILE */
    int token;  /* the ID was made from a token: the message may be queued
                   already */
    char id[ID_SIZE];
    stralloc buffer;  /* not yet written; begins with room for the header as long
                        as nothing is */
    uint64_t written; /* bytes of the file that are */
    uint64_t message; /* bytes of the message so far */
    uint32_t crc;
};

#define COMMIT_ZERO                                                                                                    \
    {                                                                                                                  \
        .dir = -1, .fd = -1, .buffer = STRALLOC_ZERO                                                                   \
    }

/* Opens queue/new. Returns 1, or 0 with errno. */
extern int commit_init(struct commit *);

/* Begins a message with a new ID, or with the one of this uid's token. Returns
 * 1, or 0 with errno. */
extern int commit_begin(struct commit *);
extern void commit_begin_token(struct commit *, uint32_t uid, char const *token, size_t len);

/* More of the message. Returns 1, or 0 with errno. */
extern int commit_data(struct commit *, char const *s, size_t len);

/* The envelope (proved by envelope_check) and the end. Returns 1: the message
 * is durable, in queue/new under its ID, or it was queued before under the same
 * token; 0 with errno: give it up, it is not queued (after a failed fsync of
 * the folder it may be: then it comes twice). */
extern int commit_end(struct commit *, struct bytes envelope, uint32_t recipients);

/* Ends with the message, queued or not; errno stays. commit_begin may follow.
 */
extern void commit_close(struct commit *);

#endif
