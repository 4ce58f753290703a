/* What pneu-control does to the settings. The working directory is $PNEU_HOME. */

#ifndef PNEU_CONTROL_OPERATE_H
#define PNEU_CONTROL_OPERATE_H

#include <skalibs/stralloc.h>

#include "control/place.h"

/* A line a setting: name, value, where it comes from, default; tabs between them, items of lists separated by ", ",
 * control characters as \xNN. First those of control/, all of them, then what stands in the folders of
 * servers, remote domains and domains ("servers/in/databytes"). Returns 1, or 0 with errno. */
extern int operate_show(stralloc *text);

/* A line a mistake: files that are no setting, or not there; values that are malformed, or at odds with each other; also
 * lines "warning: ..." of what works but is doubtful. Returns the number of mistakes, or -1 with errno. */
extern int operate_check(stralloc *text);

/* Writes a setting: `items` has a value a NUL-terminated string. Returns 1; 0 with EPROTO if they are none of that
 * type, ENOENT if there is no such server or domain, or another errno. */
extern int operate_set(struct place const *, enum setting, stralloc const *items);

/* Takes it away. Returns 1, or 0 with errno; ENOENT if it is not there. */
extern int operate_unset(struct place const *, enum setting);

/* "must be ...", NUL-terminated: what a value of that setting is. Returns 1, or 0 with ENOMEM. */
extern int operate_expected(enum setting, stralloc *what);

/* The table of control(5) in mdoc. Returns 1, or 0 with ENOMEM. */
extern int operate_doc(stralloc *text);

#endif
