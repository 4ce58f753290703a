/* What settings say of each other, and values that are well-formed but can hardly be meant. */

#ifndef PNEU_CONTROL_AGREE_H
#define PNEU_CONTROL_AGREE_H

#include "control/place.h"

/* Looks at the settings of one place; those of control/ count there where it has none. What stands wholly in control/ is
 * told there alone. Malformed values are passed over. Each finding goes to `say`, with path "control/servers/in/databytes";
 * mistake 0: it works, but is doubtful. Returns 1, or 0 with errno, or if `say` returned 0. */
extern int agree_check(struct place const *, int (*say)(void *, int mistake, char const *path, char const *what),
                       void *data);

#endif
