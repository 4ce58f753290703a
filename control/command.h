/* Running one of the system's programs, for the operator's tools: getent, useradd, s6-svscanctl. */

#ifndef PNEU_CONTROL_COMMAND_H
#define PNEU_CONTROL_COMMAND_H

#include <skalibs/stralloc.h>

#define COMMAND_OUT_MAX 67108864

/* Runs argv (found by $PATH) and waits. What it prints is appended to `out`, or, where that is NULL, goes where ours goes.
 * Returns its exit code, 128 + the signal that ended it, or -1 with errno if it could not be started. */
extern int command_run(char const *const *argv, stralloc *out);

/* getent DATABASE [KEY]; `out` gets the lines, without a final NUL.
 * Returns 1; 0 if the key is not there; -1 with errno. */
extern int command_getent(char const *database, char const *key, stralloc *out);

#endif
