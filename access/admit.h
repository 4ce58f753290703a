/* What pneu-access(8) knows of a client, and what follows from it. */

#ifndef PNEU_ACCESS_ADMIT_H
#define PNEU_ACCESS_ADMIT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "access/rdns.h"
#include "access/refuse.h"
#include "access/rules.h"

enum admit_lookup { ADMIT_NO, ADMIT_MARK, ADMIT_REQUIRE };

struct admit {
    char const *path; /* of the rules, NULL: there are none */
    int cdb;
    stralloc found; /* that path, where it was looked for */
    enum admit_lookup lookup;
    uint32_t timeout; /* of the look-up, seconds */
    struct dns dns;
    struct ip ip;
    int has_ip;
    int named; /* `rdns` holds something */
    struct rdns rdns;
    struct rules rules;
};

#define ADMIT_ZERO                                                                                                     \
    {                                                                                                                  \
        .found = STRALLOC_ZERO, .rules = RULES_ZERO                                                                    \
    }

/* Reads the settings. Returns 1, or 0 with errno and *which: what cannot be read. */
extern int admit_settings(struct admit *, char const **which);

/* Finds the rules: control/servers/$PNEU_SERVER/access, the same with .cdb, control/access, control/access.cdb.
 * Returns as above. */
extern int admit_find(struct admit *, char const **which);

/* Looks the client's name up, in a confined child. */
extern void admit_look_up(struct admit *);

/* Or takes the word of who has looked: $PNEU_RDNS and ${PROTO}REMOTEHOST. */
extern void admit_take_name(struct admit *);

/* Tells all this to the environment, with that of the rule. Returns 1, or 0 with errno. */
extern int admit_tell(struct admit *);

/* NULL if the client may come in, else the reply, which may lie in `reply`. */
extern char const *admit_refusal(struct admit const *, char reply[static REFUSE_REPLY]);

#endif
