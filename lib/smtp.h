/* What an SMTP client reads: replies, the keywords of EHLO, enhanced status codes. No I/O and no memory of its own. */

#ifndef PNEU_LIB_SMTP_H
#define PNEU_LIB_SMTP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/netstring.h"

#define SMTP_REPLY_MAX 65536 /* bytes of one reply, all its lines */
#define SMTP_REPLY_LINES 100
#define SMTP_TEXT_MAX 4096 /* bytes of its text that are kept */

/* A reply that is being read, or was. All zero: none began. */
struct smtp_reply {
    unsigned int code; /* 200 to 599 */
    size_t len;        /* of text */
    char text[SMTP_TEXT_MAX];
    /* the reader's own */
    unsigned int state, first, lines;
    size_t bytes;
};

/* Takes bytes of one reply, all its lines (RFC 5321 section 4.2), off `in`; never a byte of the next one. Every line
 * begins with the same code, LF alone ends a line too.
 * text  gets the lines without codes, LF between; what is beyond SMTP_TEXT_MAX is dropped. Other control
 *       characters are left in it: whoever logs it escapes them.
 * Returns the code when the reply is whole, and the next call begins another; 0 if more bytes are needed;
 * -1 with errno: EPROTO if malformed, EMSGSIZE if it has too many lines or bytes. Then it stays so. */
extern int smtp_reply(struct smtp_reply *, struct bytes *in);

/* Forgets what was read. */
extern void smtp_reply_reset(struct smtp_reply *);

/* What a server offers (RFC 5321 section 4.1.1.1). */
#define SMTP_PIPELINING (1u << 0)
#define SMTP_SIZE (1u << 1)
#define SMTP_8BITMIME (1u << 2)
#define SMTP_SMTPUTF8 (1u << 3)
#define SMTP_DSN (1u << 4)
#define SMTP_ENHANCED (1u << 5)
#define SMTP_STARTTLS (1u << 6)
#define SMTP_CHUNKING (1u << 7)
#define SMTP_BINARYMIME (1u << 8)
#define SMTP_REQUIRETLS (1u << 9)
#define SMTP_AUTH (1u << 10)
#define SMTP_LIMITS (1u << 11)

struct smtp_features {
    unsigned int has;
    uint64_t size;    /* largest message; 0: no limit is known */
    uint32_t rcptmax; /* LIMITS RCPTMAX= (RFC 9422); 0: none is known */
    uint32_t mailmax; /* LIMITS MAILMAX= */
};

/* Reads the text of the reply to EHLO; the first line, the server's name, is passed over. Unknown and malformed
 * keywords count for nothing. */
extern void smtp_features(char const *text, size_t len, struct smtp_features *);

#define SMTP_ENHANCED_MAX 9 /* "5.123.123" */

/* The enhanced status code (RFC 3463) of a reply: the one its text begins with, if that is well-formed and of the
 * reply's class, else "4.0.0" and so on. Returns its length; *own is the length of code and blank in the text, 0 if
 * it was made. */
extern size_t smtp_enhanced(unsigned int code, char const *text, size_t len, char to[static SMTP_ENHANCED_MAX],
                            size_t *own);

#endif
