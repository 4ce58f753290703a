/* The end of a pneu-smtpd that goes on as another program of pneu, on the same descriptors. */

#ifndef PNEU_SMTPD_BECOME_H
#define PNEU_SMTPD_BECOME_H

#include <skalibs/stralloc.h>

/* Changes the environment (NUL-terminated: "NAME=value", or "NAME" to take it away) and becomes that program: argv, where
 * words that begin with "pneu-" are looked for in that folder alone. Returns with errno if it cannot. */
extern void become(char const *const *argv, stralloc const *environment);

#endif
