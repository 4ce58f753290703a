/* What is wrong with access rules and with the rights of users: mistakes that no reader of a single file sees. */

#ifndef PNEU_CONTROL_RIGHTS_H
#define PNEU_CONTROL_RIGHTS_H

#include <skalibs/stralloc.h>

#include "control/place.h"

typedef int rights_say(void *data, int mistake, char const *path, char const *what);

/* A folder of rules, as pneu-access(8) reads it: keys that are never asked for, rules that neither allow nor deny, rules for
 * names where none is looked up (`named` 0). Each finding goes to `say`; mistake 0: it is only doubtful.
 * Returns 1, or 0 with errno, or if `say` returned 0. */
extern int rights_rules(char const *folder, int named, rights_say *say, void *data);

/* relayusers and submitusers of one place; those of control/ count there where it has none: who may relay and not submit,
 * and groups without members. Returns as above. */
extern int rights_users(struct place const *, rights_say *say, void *data);

#endif
