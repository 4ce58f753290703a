/* UTF-8 as RFC 3629 has it. */

#ifndef PNEU_LIB_UTF8_H
#define PNEU_LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

/* 1 if that is valid UTF-8: no byte too many or too few, no form longer than it need be, no surrogate, nothing above
 * U+10FFFF. */
extern int utf8_valid(char const *s, size_t len);

/* 1 if there is a byte from 0x80. */
extern int utf8_has8bit(char const *s, size_t len);

/* The length of the character at the front of s, which is not empty, and what it is; 0 if there is none: overlong forms, surrogates and
 * what is beyond U+10FFFF are none. */
extern size_t utf8_next(char const *s, size_t len, uint32_t *c);

/* 1 if a terminal may get it: no control character, and none that ends a line or turns the text around (U+2028 to U+202E, U+2066 to
 * U+2069). */
extern int utf8_plain(uint32_t c);

/* Appends text for a terminal: LF, tab and plain characters as they are, each other byte as \xNN. Returns 1, or 0 with ENOMEM. */
extern int utf8_show(stralloc *to, char const *s, size_t len);

#endif
