/* The end of a client who may not come in. */

#ifndef PNEU_ACCESS_REFUSE_H
#define PNEU_ACCESS_REFUSE_H

/* Says that reply, without CR LF. After a 554 the client may speak until QUIT, as RFC 5321 section 3.1 wants it, for
 * a short while. Nothing is said to a `kind` of client that expects TLS; one of POP3 gets no code. */
extern void refuse_client(char const *reply, char const *kind);

/* Makes a reply of what an operator wrote: with a code where he gave none, printable, of bounded length.
 * Returns its length, without the NUL. */
#define REFUSE_REPLY 512
extern unsigned int refuse_reply(char to[static REFUSE_REPLY], char const *text);

#endif
