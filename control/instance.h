/* Making an instance, or looking whether one is whole. Nothing of what an operator wrote is changed; folders get back
 * their owners and modes. */

#ifndef PNEU_CONTROL_INSTANCE_H
#define PNEU_CONTROL_INSTANCE_H

#include "control/service.h"

/* pneu's own users, in the order of users/ids; 0 ends them. */
extern char const *const instance_users[];

/* Makes whatever is missing in the working directory. Run by root, the system gets the users of instance_users and
 * the daemons run under them; run by somebody else, everything is his.
 * unsafe  1: also where the file system is not known to keep what was fsynced
 * Returns 1, or 0 with errno and op->why; errno is EXDEV where the file system is refused. */
extern int instance_make(struct operation *op, int unsafe);

/* What the file system of a folder is worth for a queue. `name` is set to what it is. Returns 1 good, 0 unknown or known to be bad,
 * 2 good until the machine is switched off; -1 with errno. */
extern int instance_filesystem(char const *folder, char const **name);

#endif
