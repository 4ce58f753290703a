/* Base64 (RFC 4648 section 4), strictly: no blanks, no other alphabet, the padding complete and its spare bits zero, so
 * that each text has one meaning. Nothing is allocated. */

#ifndef PNEU_LIB_BASE64_H
#define PNEU_LIB_BASE64_H

#include <stddef.h>
#include <sys/types.h>

#define BASE64_ENCODED(n) (((size_t)(n) + 2) / 3 * 4) /* bytes of text that n bytes become */
#define BASE64_DECODED(n) ((size_t)(n) / 4 * 3)       /* bytes that n bytes of text can become */

/* Writes the text of s, without a NUL. Returns its length. */
extern size_t base64_encode(char *out, char const *s, size_t len);

/* Writes what the text stands for; out may be the text itself. Returns its length, or -1 with EPROTO: it is not
 * Base64. */
extern ssize_t base64_decode(char *out, char const *s, size_t len);

#endif
