/* Which dot file decides: .qmail-EXT, then .qmail-PART-default, longest first.
 */

#ifndef PNEU_LOCAL_SEARCH_H
#define PNEU_LOCAL_SEARCH_H

#include <skalibs/stralloc.h>

#include "local/delivery.h"

#define SEARCH_MAX 4194304 /* bytes of a dot file */

struct dotfile {
    int fd;          /* -1: there is none */
    int forwardonly; /* its x bit is set */
};

/* Opens the home and proves that nobody else may write there, then finds the
 * file; sets d->homefd and d->suffix. Returns 1, or 0: the outcome says why. */
extern int search_home(struct delivery *, int show, struct outcome *);
extern int search_file(struct delivery *, struct dotfile *, struct outcome *);

/* Makes d->newsender, the sender of forwards: of lists their owner. Returns 1,
 * or 0: the outcome says why. */
extern int search_owner(struct delivery *, struct outcome *);

/* 1 if others than the user, or root, may write to a file of such an owner,
 * group and mode. */
extern int search_foreign(uint32_t owner, uint32_t group, unsigned int mode, uint32_t uid, uint32_t gid);

#endif
