/* The header of a message (RFC 5322 section 2.2): its fields. */

#ifndef PNEU_LIB_HEADER_H
#define PNEU_LIB_HEADER_H

#include <stddef.h>

#include <skalibs/genalloc.h>
#include <skalibs/stralloc.h>

/* Fields that mean something to us. */
enum header_name {
    HEADER_OTHER,
    HEADER_MBOX, /* a "From " line: not a field, but mail folders and old mailers begin with it */
    HEADER_APPARENTLY_TO,
    HEADER_BCC,
    HEADER_CC,
    HEADER_CONTENT_LENGTH,
    HEADER_DATE,
    HEADER_ERRORS_TO,
    HEADER_FROM,
    HEADER_MAIL_FOLLOWUP_TO,
    HEADER_MESSAGE_ID,
    HEADER_REPLY_TO,
    HEADER_RESENT_BCC,
    HEADER_RESENT_CC,
    HEADER_RESENT_DATE,
    HEADER_RESENT_FROM,
    HEADER_RESENT_MESSAGE_ID,
    HEADER_RESENT_REPLY_TO,
    HEADER_RESENT_SENDER,
    HEADER_RESENT_TO,
    HEADER_RETURN_PATH,
    HEADER_RETURN_RECEIPT_TO,
    HEADER_SENDER,
    HEADER_TO,
    HEADER_count
};

#define HEADER_MAX 1048576 /* bytes of a whole header: 1 MiB */

/* A field, as offsets in the header's text. */
struct header_field {
    enum header_name name;
    size_t start;
    size_t body; /* behind the colon; for HEADER_MBOX the start */
    size_t end;  /* behind the last newline */
};

/* A header that is read piece by piece. Lines end in LF. */
struct header {
    stralloc text;
    genalloc fields; /* struct header_field */
    size_t line;     /* where the unfinished line begins */
    size_t end;      /* when it is over: the fields end here; what follows in text is the body's beginning */
    int over;
    int blank; /* it ended in an empty line, which is not in text */
};

#define HEADER_ZERO                                                                                                    \
    {                                                                                                                  \
        .text = STRALLOC_ZERO, .fields = GENALLOC_ZERO                                                                 \
    }

/* Takes the next bytes. The header is over behind an empty line, or before a line that is neither a field nor the
 * continuation of one. Returns 1 when it is over: *used bytes were taken, the others belong to the body; 0 if
 * it goes on and all were taken; -1 with errno: EMSGSIZE above HEADER_MAX, ENOMEM. */
extern int header_feed(struct header *, char const *s, size_t len, size_t *used);

/* The input ended: the last line gets its newline if it has none. Returns 1, or -1 as header_feed. */
extern int header_finish(struct header *);

extern size_t header_count(struct header const *);
extern struct header_field const *header_field(struct header const *, size_t);
extern void header_free(struct header *);

/* Looks at the beginning of a line. Returns 1 if it is a field with a name of printable characters and a colon (blanks
 * may stand between): *body is the offset behind the colon; 0 if it is none; -1 if it may become one with more bytes. */
extern int header_scan(char const *line, size_t len, enum header_name *, size_t *body);

/* 1 if that field is for us alone, and does not leave with the message: Bcc, Resent-Bcc, Return-Path, Content-Length. */
extern int header_private(enum header_name);

#endif
