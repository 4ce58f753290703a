/* pneu-fsck's work: every name below queue/ is looked at, and what is not as queue(5) says is told, and put right. */

#ifndef PNEU_OPERATOR_FSCK_H
#define PNEU_OPERATOR_FSCK_H

#include <stdint.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

#include "operator/progress.h"
#include "queue/item.h"

#define FSCK_DEBRIS 86400 /* seconds: what has been written for longer is written no more */

struct fsck {
    int dry;           /* only tell */
    uint32_t copytime; /* seconds: so young a file without a right header is being copied here */
    uint64_t now;
    stralloc out;                           /* lines to print */
    uint64_t messages, wrong, mended, left; /* left: wrong, and not put right */
    struct progress progress;
    void (*flush)(struct fsck *);
};

/* As root: what somebody copied here as root becomes the queue's owner's. */
extern void fsck_owners(struct fsck *, uid_t, gid_t);

/* The folders and all that is in them. */
extern void fsck_queue(struct fsck *);

#endif
