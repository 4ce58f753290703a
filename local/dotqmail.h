/* The lines of a dot-qmail file (dot-qmail(5)). */

#ifndef PNEU_LOCAL_DOTQMAIL_H
#define PNEU_LOCAL_DOTQMAIL_H

#include "lib/netstring.h"

enum dotqmail {
    DOTQMAIL_COMMENT, /* nothing to do: a comment, a blank line, an unknown +
                         line */
    DOTQMAIL_BLANK,   /* the first line is blank: nobody means that */
    DOTQMAIL_PROGRAM,
    DOTQMAIL_FORWARD,
    DOTQMAIL_MBOX,
    DOTQMAIL_MAILDIR,
    DOTQMAIL_LIST, /* +list: from here on only forwards are allowed */
    DOTQMAIL_BAD   /* a NUL in it, a file name too long, or an address nobody can
                    have */
};

#define DOTQMAIL_PATH_MAX 1000

struct dotqmail_line {
    enum dotqmail type;
    unsigned int number; /* 1 is the first */
    struct bytes text;   /* without '|' or '&' and without blanks at the end */
};

/* Takes the next line off the file's text. line->number must be 0 before the
 * first. Returns 1, 0 at the end. */
extern int dotqmail_next(struct bytes *text, struct dotqmail_line *line);

#endif
