/* A message on its way out: LF becomes CR LF, a dot that begins a line is doubled. Nothing but CR LF ends a line there,
 * whatever the message holds (SMTP smuggling): a CR before LF is part of the line's end, any other is sent as a blank,
 * which is what Postfix makes of it too. Every other byte goes as it is, 8-bit and NUL included. */

#ifndef PNEU_REMOTE_BODY_H
#define PNEU_REMOTE_BODY_H

#include <stddef.h>

struct body {
    int within; /* the line has bytes already */
    int cr;     /* a CR came and is not yet sent */
};

/* Room that the output of a chunk of len bytes may need. */
#define BODY_ROOM(len) (2 * (len) + 1)
#define BODY_END 5

/* Encodes one chunk. Returns the bytes written. */
extern size_t body_encode(struct body *, char const *s, size_t len, char *to);

/* Writes what is still owed: the last line's end, and the dot. Returns the bytes written, at most BODY_END. */
extern size_t body_end(struct body *, char to[static BODY_END]);

#endif
