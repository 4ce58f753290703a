/* The command line of sendmail, as programs of forty years write it. Options come first, bundled or not; what follows the
 * first argument that is none, or "--", is recipients. No recipient and no sender begins with '-': whoever passes
 * on an address that a stranger typed passes on no option. */

#ifndef PNEU_INJECT_ARGUMENTS_H
#define PNEU_INJECT_ARGUMENTS_H

#include <skalibs/stralloc.h>

enum arguments_mode {
    ARGUMENTS_SEND,    /* -bm, the default */
    ARGUMENTS_SMTP,    /* -bs: SMTP on descriptors 0 and 1 */
    ARGUMENTS_LIST,    /* -bp, mailq */
    ARGUMENTS_FLUSH,   /* -q: try the queue now */
    ARGUMENTS_ALIASES, /* -bi, -I, newaliases */
};

struct arguments {
    enum arguments_mode mode;
    int header;              /* -t */
    int nodots;              /* -i: a line of one dot is a line */
    char const *sender;      /* -f, -r */
    char const *name;        /* -F */
    char const *body;        /* -B: "7BIT" or "8BITMIME" */
    char const *ret;         /* -R: "FULL" or "HDRS" */
    char const *notify;      /* -N: "NEVER", or SUCCESS, FAILURE, DELAY with commas */
    stralloc envid;          /* -V, as xtext, NUL-terminated; empty if not given */
    char const *const *rest; /* recipients */
    char option[3];          /* what is wrong: "-X", or empty for an argument */
    char const *why;         /* and why */
};

#define ARGUMENTS_ZERO                                                                                                 \
    {                                                                                                                  \
        .envid = STRALLOC_ZERO                                                                                         \
    }

/* Reads argv, whose name decides too (mailq, newaliases). Returns 1, or 0 with why, and option, set. */
extern int arguments_read(struct arguments *, char const *const *argv);

#endif
