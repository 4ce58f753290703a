/* Who may send where: the one place that decides. Mail for our own domains everybody may send; mail for others only
 *
 *   a client with RELAYCLIENT, which an access rule or the tcp server's rules give it,
 *   a login that relayusers lets, or without that setting any login, if authrelay is 1,
 *   everybody to the domains in rcpthosts and morercpthosts.
 *
 * A login that submitusers does not let may send nothing at all. Pure: what it says follows from what it is given. */

#ifndef PNEU_CONTROL_RELAY_H
#define PNEU_CONTROL_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "control/control.h"
#include "control/route.h"

/* The settings that decide. */
struct relay {
    stralloc rcpthosts, morercpthosts, submitusers, relayusers, groups;
    int has_submitusers, has_relayusers; /* an empty list is not no list */
    uint32_t authrelay;
};

/* Who asks. */
struct relay_client {
    char const *relayclient; /* $RELAYCLIENT, or NULL */
    char const *rule;        /* $PNEU_ACCESS_RULE, or NULL */
    int later;               /* a rule for its name might let it, but its name is not known now */
    char const *login;       /* of `login_len` bytes; 0: nobody */
    size_t login_len;
};

enum relay_verdict {
    RELAY_OWN, /* no relaying: the domain is ours */
    RELAY_YES,
    RELAY_NO,
    RELAY_LATER,
};

/* What was decided, and why: an access rule, or a setting and the line of it. */
struct relay_reason {
    enum relay_verdict verdict;
    char const *rule;     /* the access rule, "" if RELAYCLIENT came from elsewhere; NULL: the setting decided */
    enum setting setting; /* that decided */
    char const *item;     /* its line; NULL: that there is none */
};

/* Reads the settings; those that `present` says are not there (see control_present) are not looked for, NULL: all are.
 * Returns 1, or 0 with errno and *which. */
extern int relay_read(struct relay *, unsigned char const *present, char const **which);

/* 1 if `who`, of `len` bytes, means that login: its name, %group or "*". */
extern int relay_means(struct relay const *, char const *who, size_t len, char const *login, size_t login_len);

/* May that login send mail at all? *item: the line that says so, or NULL. */
extern int relay_may_submit(struct relay const *, char const *login, size_t len, char const **item);

/* May that client send to that address, which leads by that route? For domains of others, '%', '!' and '@' in the local
 * part are a second address in disguise. */
extern void relay_decide(struct relay const *, struct routes const *, struct relay_client const *, char const *address,
                         size_t len, enum route, struct relay_reason *);

/* Where that is written: "control/servers/in/rcpthosts", "access:ip4/192.0.2.0_24", and the number of the line, 0 if
 * there is none, or it is too far to count. Returns 1, or 0 with ENOMEM. */
extern int relay_where(struct relay_reason const *, stralloc *file, uint32_t *line);

#endif
