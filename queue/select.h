/* Which messages an operator means: the filters that pneu-list, pneu-hold and their kin share. Filters of different kinds must all
 * fit; of several of one kind, one. */

#ifndef PNEU_QUEUE_SELECT_H
#define PNEU_QUEUE_SELECT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "queue/item.h"

#define SELECT_OPTIONS "f:t:d:i:a:q:"
#define SELECT_USAGE                                                                                                   \
    "[ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ]" /* what the options are called */

struct select {
    stralloc from, to, domain, id; /* patterns (lib/pattern.h), each with its NUL */
    uint64_t older, younger;       /* seconds; 0: whatever age */
    unsigned int states;           /* bits 1 << ITEM_*; 0: those that are usual */
    int inexact;                   /* some id is a pattern */
};

#define SELECT_ZERO                                                                                                    \
    {                                                                                                                  \
        .from = STRALLOC_ZERO, .to = STRALLOC_ZERO, .domain = STRALLOC_ZERO, .id = STRALLOC_ZERO                       \
    }

/* Takes option o. Returns 1; 0 if it is none of SELECT_OPTIONS; -1 with errno: EINVAL if its argument is wrong, or ENOMEM. */
extern int select_option(struct select *, int o, char const *arg);

/* Takes an ID, or a pattern of IDs. Returns 1, or 0 with errno as above. */
extern int select_id(struct select *, char const *id);

/* 1 if it lets every message of its folders through. */
extern int select_all(struct select const *);

/* 1 if a message of that ID may fit: asked before the file is opened. */
extern int select_name(struct select const *, char const *id);

/* 1 if the recipient of that address does; its status is not asked. */
extern int select_recipient(struct select const *, struct bytes address);

/* 1 if the file fits. A recipient counts as long as something is to be done for it. Of a damaged file only ID, folder and age
 * are known. */
extern int select_item(struct select const *, struct item const *, uint64_t now);

/* "90", "30m", "2h", "3d", "1w" in seconds. Returns 1, or 0. */
extern int select_age(char const *text, uint64_t *seconds);

#endif
