/* Sends the report of one queue file where it belongs: to the sender; of a report, to the postmaster; of that, to badmail/. */

#ifndef PNEU_BOUNCE_BOUNCE_H
#define PNEU_BOUNCE_BOUNCE_H

#include <skalibs/stralloc.h>

#include "bounce/report.h"

struct bounce_settings {
    struct report_names names;
    uint32_t lifetime;
    stralloc doubleto; /* who gets reports on reports */
};

#define BOUNCE_SETTINGS_ZERO                                                                                           \
    {                                                                                                                  \
        .names = {.me = STRALLOC_ZERO, .from = STRALLOC_ZERO, .to = STRALLOC_ZERO}, .doubleto = STRALLOC_ZERO          \
    }

/* Reads them. Returns 1, or 0 with errno and *which. */
extern int bounce_settings(struct bounce_settings *, char const **which);

/* Works off the queue file on descriptor 0. Returns the exit code; says what happened in the log. */
extern int bounce_run(struct bounce_settings *, enum report_of, unsigned int notice, char const *id);

/* Its sandbox: what is read after it is foreign. Returns 1, or 0 with errno. */
extern int bounce_confine(void);

/* Where the report of a message from that sender goes. Returns 1: *from and *to are set; 0: nowhere, it is a
 * report on a report; -1 with ENOMEM. */
extern int bounce_addresses(struct bytes sender, struct bounce_settings *, char const **from);

#endif
