/* The queue file (queue(5)): one message, whole.
 *
 *   header    FILE_HEADER bytes of text, written last
 *   message   as it came, lines end in LF
 *   envelope  records (queue/envelope.h)
 *   status    one byte a recipient, in the order of the envelope
 *   log       a line an attempt and reply; grows; a torn last line counts for
 * nothing
 */

#ifndef PNEU_QUEUE_FILE_H
#define PNEU_QUEUE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

#define FILE_HEADER 128

/* Status bytes. Any other byte counts as todo, never as done. */
#define STATUS_TODO 'T'
#define STATUS_DONE                                                                                                    \
    'D'                      /* delivered, or nobody wants to know of the failure \
                           */
#define STATUS_SUCCEEDED 'S' /* delivered, the report that was asked for is owed */
#define STATUS_FAILED 'F'    /* failed, the report is owed */
#define STATUS_BOUNCED 'B'   /* failed, the report is queued */

struct file_header {
    uint64_t message;     /* bytes of the message */
    uint32_t envelope;    /* bytes of the envelope */
    uint32_t recipients;  /* bytes of the status array */
    uint32_t message_crc; /* CRC-32C of each */
    uint32_t envelope_crc;
};

/* Offsets in the file. */
static inline off_t
file_envelope(struct file_header const *h)
{
    return FILE_HEADER + (off_t)h->message;
}

static inline off_t
file_status(struct file_header const *h)
{
    return file_envelope(h) + h->envelope;
}

static inline off_t
file_log(struct file_header const *h)
{
    return file_status(h) + h->recipients;
}

/* Writes all of it there. Returns 1, or 0 with errno. */
extern int file_write(int fd, char const *s, size_t len, off_t at);

extern void file_header_fmt(char s[static FILE_HEADER], struct file_header const *);

/* Returns 1, or 0 with EPROTO: not our header, another version, a wrong
 * checksum. */
extern int file_header_scan(char const s[static FILE_HEADER], struct file_header *);

#define FILE_WHOLE                                                                                                     \
    65536 /* files up to this size are read in one read, and their message's   \
             checksum proved too */

/* A queue file in memory: header, envelope and status, not the message. */
struct file {
    struct file_header header;
    stralloc data; /* the bytes read, of which envelope and status are parts */
    struct bytes envelope;
    char *status; /* header.recipients bytes */
};

#define FILE_ZERO                                                                                                      \
    {                                                                                                                  \
        .data = STRALLOC_ZERO                                                                                          \
    }

/* Reads it with pread and proves it: header, lengths against the file's size,
 * the envelope's checksum and syntax, the number of recipients. Returns 1; 0 if
 * it is damaged, *why says what; -1 with errno: EIO, ENOMEM ..., which prove
 * nothing against the file. */
extern int file_read(int fd, struct file *, char const **why);

/* Frees what file_read took. */
extern void file_free(struct file *);

/* Proves the message's checksum, whatever its size. Returns 1, 0 if it is
 * wrong, -1 with errno. */
extern int file_prove(int fd, struct file_header const *);

/* One record of the log: an attempt, for the recipients that share its reply.
 */
struct file_event {
    uint64_t time; /* of the attempt */
    uint64_t next; /* next attempt, 0 if there is none */
    char class; /* K delivered, Z will be tried again, D failed, W the sender was told of the delay, O no attempt: what
                            an operator did */
    struct bytes to;     /* recipients by number: "0-3,7" */
    struct bytes code;   /* enhanced status code, "5.1.1" */
    struct bytes remote; /* who said so, "mx.example.org (192.0.2.1)"; empty:
                            this host */
    struct bytes text;   /* at most FILE_TEXT_MAX bytes; LF between the lines of a reply */
};

#define EVENT_OPERATOR 'O'
#define FILE_TEXT_MAX 512

/* Appends the line of one event to `to`. Returns 1, or 0 with ENOMEM. */
extern int file_event_put(stralloc *to, struct file_event const *);

/* Takes the next event off the log. A damaged line is passed over. text and
 * remote are as logged: escaped. Returns 1, 0 at the end. */
extern int file_event_next(struct bytes *log, struct file_event *);

/* Where the log's next line goes: behind its last whole line. Returns 1, or 0 with errno. */
extern int file_logend(int fd, struct file_header const *, off_t *end);

/* Walks over "0-3,7": 1 and the next range, 0 at the end, -1 with EPROTO. */
extern int file_range_next(struct bytes *ranges, uint32_t *first, uint32_t *last);

#endif
