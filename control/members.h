/* Whom an alias forwards to, as EXPN tells it: the lines of alias/.qmail-NAME that are addresses. */

#ifndef PNEU_CONTROL_MEMBERS_H
#define PNEU_CONTROL_MEMBERS_H

#include <skalibs/stralloc.h>

#define MEMBERS_FILE_MAX 65536

/* Appends each forward line of a dot-qmail file to `members`, without '&', NUL-terminated; other lines are passed over, so
 * is a file that is none, that is larger, or a symbolic link: what it leads to may be somebody's secret. Returns 1, or 0 with
 * ENOMEM. */
extern int members_scan(char const *path, stralloc *members);

#endif
