/* The name of a uid, where no variable tells it: a static program has no getpwuid. */

#ifndef PNEU_INJECT_USER_H
#define PNEU_INJECT_USER_H

#include <sys/types.h>

#include <skalibs/stralloc.h>

/* Looks for the first line of a file like /etc/passwd with that uid. Returns 1 with the name, NUL-terminated; 0 if
 * there is none or the file cannot be read. */
extern int user_name(char const *file, uid_t uid, stralloc *name);

#endif
