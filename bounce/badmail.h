/* The end of the way: what can neither be delivered nor returned lies in badmail/, with the reason. */

#ifndef PNEU_BOUNCE_BADMAIL_H
#define PNEU_BOUNCE_BADMAIL_H

/* Copies the queue file on fd to badmail/ID and writes badmail/ID.why; both are durable when it returns. A file
 * that is there already is taken for the same. Returns 1, or 0 with errno. */
extern int badmail_put(int fd, char const *id, char const *why);

#endif
