/* What an address lacks: host, domain (qmail-header(5)). A setting is read when the first address needs it. */

#ifndef PNEU_CONTROL_COMPLETE_H
#define PNEU_CONTROL_COMPLETE_H

#include <skalibs/stralloc.h>

#include "lib/addresslist.h"

enum complete_name { COMPLETE_HOST, COMPLETE_DOMAIN, COMPLETE_PLUS, COMPLETE_ID, COMPLETE_count };

struct complete {
    stralloc value[COMPLETE_count];
    int known[COMPLETE_count];
    char const *failed; /* the setting or variable that was needed and is not there, or is malformed */
};

/* defaulthost, defaultdomain, plusdomain or idhost: from the environment ($QMAILDEFAULTHOST, ...), else the setting.
 * Returns 1, or 0 with errno, ENOENT if there is none; c->failed names it. */
extern int complete_value(struct complete *, enum complete_name);

/* Completes the domain of an address, and sets its `changed` if it did. Returns 1, or 0 as complete_value. */
extern int complete_address(struct complete *, struct addresslist_entry *);

#endif
