/* What a confined pneu-local may not do itself: programs of dot files, and
 * files outside of the home. A helper with all rights of the user does it; it
 * is forked off before the confinement, and takes orders from its parent alone.
 */

#ifndef PNEU_LOCAL_PROGRAM_H
#define PNEU_LOCAL_PROGRAM_H

#include <stdint.h>

#include "local/delivery.h"

struct helper {
    int fd;    /* of the socket to it */
    int watch; /* when this hangs up nobody waits for the result: stop; or -1 */
};

#define HELPER_REQUEST_MAX 131072

/* Forks the helper. seconds: how long a program may run. Returns 1, or 0 with
 * errno. */
extern int helper_start(struct helper *, char const *home, uint32_t seconds);

/* Runs `sh -c COMMAND` in the home with the message on descriptor 0. Returns 1:
 * done; 2: done, and it was the last instruction (exit code 99); 0: the outcome
 * says why not. */
extern int program_deliver(struct delivery *, struct bytes command, struct outcome *);

/* file_deliver, by the helper. */
extern int outside_deliver(struct delivery *, char const *path, unsigned int line, struct outcome *);

/* What an exit code of a program means: K, D or Z; 'L' is 99. */
extern char program_class(int code);

/* The helper's side of both. */
extern void helper_serve(int fd, char const *home, uint32_t seconds) __attribute__((noreturn));

#endif
