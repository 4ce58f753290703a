/* Writing JSON (RFC 8259). Names of members come from us, values from anybody. */

#ifndef PNEU_LIB_JSON_H
#define PNEU_LIB_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

/* Appends a string with its quotes. What is right UTF-8 stays, control characters (also U+0080 to U+009F) are escaped, and
 * a byte that is no UTF-8 becomes the four characters \xNN. Returns 1, or 0 with ENOMEM. */
extern int json_string(stralloc *to, char const *s, size_t len);

/* Appends "name": and the value; a comma first unless a bracket was just opened. Return 1, or 0 with ENOMEM. */
extern int json_name(stralloc *to, char const *name);
extern int json_text(stralloc *to, char const *name, char const *s, size_t len);
extern int json_uint(stralloc *to, char const *name, uint64_t value);

/* A comma unless a bracket was just opened. */
extern int json_comma(stralloc *to);

#endif
