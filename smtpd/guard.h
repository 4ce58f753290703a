/* Who is turned away by name: the settings badmailfrom, badrcptto, badhelo and helostrict; and which checks have programs. */

#ifndef PNEU_SMTPD_GUARD_H
#define PNEU_SMTPD_GUARD_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/control.h"
#include "smtpd/hook.h"

struct guard {
    stralloc badmailfrom, badrcptto, badhelo;
    uint32_t helostrict, timeoutcheck;
    unsigned int checks; /* bit HOOK_x: that setting names programs */
};

/* Reads those that are present. Returns 1, or 0 with errno and *which: the file that cannot be read. */
extern int guard_read(struct guard *, unsigned char const *present, char const **which);

/* 1 if the list holds the address, its @domain, or @.parent of that. A line with '*' or '?' is a pattern for the whole
 * address: '*' stands for any bytes, '?' for one. Case is ignored. The empty address is in no list. */
extern int guard_address(stralloc const *list, char const *address, size_t len);

/* 1 if the list holds that name, ".parent" of it, or a pattern for it. */
extern int guard_name(stralloc const *list, char const *name, size_t len);

/* 1 if a client may call itself so where helostrict is set: a domain name with a dot in it, or an address literal. */
extern int guard_proper(char const *helo, size_t len);

#endif
