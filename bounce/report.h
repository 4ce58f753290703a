/* A delivery status notification: what became of recipients of one queue file as a message of its own (RFC 3464). */

#ifndef PNEU_BOUNCE_REPORT_H
#define PNEU_BOUNCE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/file.h"

/* What it is about. */
enum report_of { OF_FAILURE, OF_SUCCESS, OF_DELAY };

/* A recipient it is about. */
struct owed {
    uint32_t index;
    struct bytes address, orcpt;
    size_t event; /* of the log, the last that names it; events if none does */
};

/* What the report says of itself. */
struct report_names {
    stralloc me;       /* the host that gave up */
    stralloc from, to; /* addresses of the report's own header */
    uint64_t now;
    uint32_t maxbytes; /* a larger message is not returned whole */
    int doubled;       /* it is about a report */
    int tellall;       /* of a delay hear those, too, who did not ask */
    uint64_t until;    /* a late message is given up then; 0: unknown */
};

struct report {
    int fd; /* the queue file */
    char const *id;
    enum report_of of;
    unsigned int notice; /* of a delay: the how many-th */
    struct file file;
    struct bytes from, envid, ret;
    int smtputf8;
    uint64_t arrival;
    struct owed *owed;
    uint32_t count;
    stralloc log;
    struct file_event *events;
    size_t nevents;
    stralloc messageid, subject; /* of the original; empty: it has none that can be quoted */
    int list;                    /* it came from a list, or from a machine */
    int asked;                   /* somebody asked to hear of the delay */
    int whole;                   /* the message goes back, not its header alone */
    uint64_t returned;           /* bytes of it that go back */
    int eightbit;                /* these hold bytes above 0x7f */
    int utf8;                    /* addresses hold some: the report needs SMTPUTF8 */
    char boundary[40];
};

#define REPORT_ZERO                                                                                                    \
    {                                                                                                                  \
        .file = FILE_ZERO, .log = STRALLOC_ZERO, .messageid = STRALLOC_ZERO, .subject = STRALLOC_ZERO                  \
    }

/* Reads the queue file on r->fd. Returns 1, 0 if it is damaged (*why), -1 with errno. No owed recipient: r->count is 0. */
extern int report_read(struct report *, int tellall, char const **why);

/* Looks at the message: what of it goes back, and whether it is 8-bit. Returns 1, or 0 with errno. */
extern int report_survey(struct report *, struct report_names const *);

/* Gets the report piece by piece; 1, or 0 with errno to stop. */
typedef int report_put(void *data, char const *s, size_t len);

/* Writes the whole message, header and all. Returns 1, or 0 with errno. */
extern int report_write(struct report const *, struct report_names const *, report_put *, void *data);

/* The token of the report (queue/intake.h): parent, and set of recipients, or number of the notice. Returns 1, or 0 with ENOMEM. */
extern int report_token(struct report const *, stralloc *to);

/* Undoes the log's escapes where that is safe: "\x5c", "\x0a" and what is above 0x7f; the rest stays escaped. A line break becomes `newline`.
 * Returns 1, or 0 with ENOMEM. */
extern int report_unescape(stralloc *to, struct bytes text, char const *newline, int utf8);

extern void report_free(struct report *);

#endif
