/* A message from a program into the queue: what pneu-inject and pneu-sendmail have in common. The header is read whole,
 * completed, and written anew only where it must be; the body streams through. */

#ifndef PNEU_INJECT_INJECT_H
#define PNEU_INJECT_INJECT_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/complete.h"
#include "inject/sink.h"
#include "inject/text.h"
#include "lib/header.h"

/* Where recipients come from. */
enum inject_from { INJECT_EITHER, INJECT_ARGUMENTS, INJECT_HEADER, INJECT_BOTH };

/* $QMAILINJECT's letters. */
#define INJECT_COMMENT (1u << 0)     /* c: From: address (name) */
#define INJECT_NO_FROM (1u << 1)     /* f: delete From */
#define INJECT_NO_ID (1u << 2)       /* i: delete Message-ID */
#define INJECT_PER_MESSAGE (1u << 3) /* m: a sender of its own for this message */
#define INJECT_PER_RCPT (1u << 4)    /* r: a sender of its own for each recipient */
#define INJECT_NO_RETURN (1u << 5)   /* s: Return-Path is not the sender */

struct inject_options {
    enum inject_from from;
    unsigned int letters;
    int print;                      /* do not queue it: print it */
    int lists;                      /* an argument is a list of addresses as in a header, not one address as it is */
    int dots;                       /* a line of one dot ends the message */
    char const *sender;             /* NULL: not given; "" is the null sender */
    int as_sender;                  /* From shall be the sender, if one is given */
    char const *user, *host, *name; /* of From; NULL: none */
    char const *suser, *shost;      /* of the sender; NULL: as From */
    char const *followup;           /* $QMAILMFTFILE */
    char const *queue;              /* $PNEU_QUEUE; NULL: run/intake */
    char const *body, *ret, *envid, *notify; /* struct sink_envelope */
    char const *const *recipients;           /* arguments, the last NULL */
};

/* Fills in what the environment says (the family of $QMAILUSER); other members are cleared. */
extern void inject_environment(struct inject_options *);

enum inject_result {
    INJECT_QUEUED,
    INJECT_USAGE,   /* a wrong argument or variable */
    INJECT_DATA,    /* the message is wrong */
    INJECT_NOBODY,  /* there is no recipient */
    INJECT_REFUSED, /* the queue will never take it */
    INJECT_LATER,   /* the queue does not take it now */
    INJECT_READ,    /* the message cannot be read */
    INJECT_CONFIG,  /* a setting is wrong or missing */
    INJECT_SYSTEM,  /* memory, descriptors ... */
};

/* Bytes read at a time, and read ahead: a short message is whole before the queue hears of it. */
#define INJECT_PIECE 65536

/* The work, and what it found. */
struct inject {
    struct inject_options const *o;
    uint64_t now;
    struct complete complete;
    struct header header;
    unsigned char seen[HEADER_count];
    int resent;
    stralloc sender; /* NUL-terminated when it is known */
    int has_sender;
    /* Recipients, each ended by NUL. */
    stralloc arguments;   /* those given, in the end all */
    stralloc plain;       /* of To, Cc, Bcc, Apparently-To */
    stralloc forwarded;   /* of Resent-To, Resent-Cc, Resent-Bcc */
    stralloc shown;       /* of To, Cc */
    stralloc *to, *also;  /* where the addresses that are walked over go; NULL: nowhere */
    stralloc followup;    /* $QMAILMFTFILE's contents */
    stralloc fresh, kept; /* fields that were added; those that came */
    stralloc scratch, address;
    struct text text;
    stralloc ahead; /* of the body */
    int eof;
    stralloc doubt; /* why a field of recipients cannot be parsed, which counts only if these are wanted ... */
    int in_plain, in_forwarded; /* ... and of which kind it was */
    enum inject_result result;
    stralloc why; /* NUL-terminated, one line, printable */
    char *piece;  /* INJECT_PIECE bytes, with TEXT_ROOM before them */
};

/* Sets i->result and i->why: the parts, up to a NULL, with control characters escaped. Returns 0. */
extern int inject_fail(struct inject *, enum inject_result, ...) __attribute__((sentinel));

/* inject_fail of errno, while doing that; a lack of memory is INJECT_SYSTEM whatever `what` is. */
extern int inject_trouble(struct inject *, enum inject_result what, char const *doing);

/* All of it; changes into $PNEU_HOME. *i must be zero but for o. Returns i->result. */
extern enum inject_result inject_run(struct inject *);

/* --- fields.c --- */

/* Goes through the header that was read: recipients, the sender, the fields that stay. Returns 1, or 0 after inject_fail. */
extern int fields_take(struct inject *);

/* An address as somebody gave it on the command line: unquoted, what follows the last '@' is the domain. It is
 * completed and put to `to`, ended by NUL. */
extern int fields_argument(struct inject *, char const *address, stralloc *to);

/* A list of addresses as in a header. */
extern int fields_list(struct inject *, char const *list, stralloc *to);

/* A sender in a header's form: exactly one address, <> or nothing for the null sender. */
extern int fields_sender(struct inject *, char const *address);

/* --- fresh.c --- */

/* The sender, if none was given, and the fields that are missing. */
extern int fresh_sender(struct inject *);
extern int fresh_fields(struct inject *);

#endif
