/* The text of a message as programs write it, made into lines that end in LF: a CR before LF goes, wherever it stands.
 * A CR elsewhere is a byte like others. With `dots`, as sendmail does without -i, a line of one dot is the end. */

#ifndef PNEU_INJECT_TEXT_H
#define PNEU_INJECT_TEXT_H

#include <stddef.h>

#define TEXT_ROOM 2 /* bytes that must be free in front of a piece: what was held back of the last one */

struct text {
    int dots;
    int inside; /* the last byte was not a newline */
    int ended;  /* by a dot */
    size_t nheld;
    char held[TEXT_ROOM]; /* "\r", "." or ".\r": what follows decides */
};

#define TEXT_ZERO                                                                                                      \
    {                                                                                                                  \
        0                                                                                                              \
    }

/* Converts a piece in place. *out is the result, which lies in s - TEXT_ROOM to s + len. Returns its length. After the
 * line that ended the text, nothing more comes out. */
extern size_t text_take(struct text *, char *s, size_t len, char **out);

/* The end of the input: what was held back, and the newline that the last line lacks. At most TEXT_ROOM + 1 bytes to s;
 * returns their number. */
extern size_t text_finish(struct text *, char *s);

#endif
