/* UTF-8 as RFC 3629 has it. */

#ifndef PNEU_LIB_UTF8_H
#define PNEU_LIB_UTF8_H

#include <stddef.h>

/* 1 if that is valid UTF-8: no byte too many or too few, no form longer than it need be, no surrogate, nothing above
 * U+10FFFF. */
extern int utf8_valid(char const *s, size_t len);

/* 1 if there is a byte from 0x80. */
extern int utf8_has8bit(char const *s, size_t len);

#endif
