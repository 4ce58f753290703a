/* Where a setting stands: in control/, or in the folder of one server, remote domain or domain. */

#ifndef PNEU_CONTROL_PLACE_H
#define PNEU_CONTROL_PLACE_H

#include <skalibs/stralloc.h>

#include "control/control.h"

struct place {
    enum setting_scope scope;
    char const *who; /* NULL with SCOPE_GLOBAL */
};

/* "control/servers/in" in `path`, NUL-terminated; with a name "control/servers/in/name". Returns 1, or 0 with errno:
 * EINVAL where `who` cannot be the name of a folder. */
extern int place_path(struct place const *, char const *name, stralloc *path);

/* 1 if a setting may stand there. */
extern int place_takes(struct place const *, enum setting);

/* Calls that for control/ and then for each folder in servers/, remote/ and domain/, sorted.
 * Returns 1, or 0 with errno if one cannot be read or `each` returned 0. */
extern int place_each(int (*each)(struct place const *, void *), void *data);

#endif
