/* The header of a message (RFC 5322 section 2.2, with the obsolete forms of section 4 that are still sent): its
 * fields, and the address lists in them. Nothing recurses, nothing is parsed in place, bytes above 0x7f count
 * as letters (RFC 6532; older software sends them too). */

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

/* One address of a list. local and domain are unquoted, comments and blanks gone. */
struct header_address {
    stralloc local;
    stralloc domain; /* of an address literal with its brackets; empty if there is none */
    int changed;     /* the function changed domain: it shall stand in the field */
};

/* Called for each address; for <> with both parts empty. Returns 1, or 0 with errno to stop. */
typedef int header_address_func(void *, struct header_address *);

/* Walks over the addresses of a field's body and writes the body to out, byte by byte as it was except for:
 * domains that the function changed; source routes, which are dropped; a missing comma between two addresses; a ';'
 * where there is no group, which becomes a comma; a group's missing ';' at the end; the dot behind a domain.
 * Returns 1, or 0 with errno: EPROTO if it is no address list, *why says what is wrong; ENOMEM; what the function
 * left there, with *why NULL. */
extern int header_addresses(char const *s, size_t len, stralloc *out, header_address_func *, void *data,
                            char const **why);

/* Appends s as it has to stand in a header: as it is if it is a dot-atom, else as a quoted string. For `phrase`
 * always quoted. Returns 1, or 0 with ENOMEM. */
extern int header_quote(stralloc *to, char const *s, size_t len, int phrase);

#endif
