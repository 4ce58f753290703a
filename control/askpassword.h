/* A password from descriptor 0: typed twice at a terminal, without being seen, or a line of anything else. */

#ifndef PNEU_CONTROL_ASKPASSWORD_H
#define PNEU_CONTROL_ASKPASSWORD_H

#include <stddef.h>

#include "lib/sasl.h"

struct askpassword {
    char s[SASL_PASSWORD_MAX];
    size_t len;      /* 0: an empty line, or nothing at all */
    char const *why; /* of EINVAL */
};

/* Returns 1, or 0 with errno: EINVAL, it cannot be a password, or the two differ. Of a file or a pipe no byte behind the
 * line is taken. */
extern int askpassword(struct askpassword *, char const *who);

#endif
