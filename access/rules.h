/* Rules by address and name of a client, in the format of s6-accessrules: a folder, or the cdb that
 * s6-accessrules-cdb-from-fs makes of one. libs6 reads them. Asked are, until one says allow or deny,
 *
 *   ip4/192.0.2.7_32 ... ip4/192.0.0.0_8 ..., ip6/2001:db8::1_128 ...    from the narrowest network to half of all
 *   reversedns/mx.example.org, reversedns/example.org ..., reversedns/@  if the client has a verified name
 *   ip4/0.0.0.0_0, ip6/::_0                                              all others
 *
 * So a rule for a name counts where everybody else is allowed. */

#ifndef PNEU_ACCESS_RULES_H
#define PNEU_ACCESS_RULES_H

#include <skalibs/stralloc.h>

#include "lib/ip.h"

enum rules_verdict { RULES_ALLOW, RULES_DENY, RULES_NONE };

struct rules {
    enum rules_verdict verdict;
    stralloc rule;    /* which it was, "ip4/192.0.2.0_24", NUL-terminated */
    stralloc env;     /* its environment: NUL-terminated, "NAME=value", or "NAME" to take it away */
    stralloc exec;    /* its program, an execline script */
    stralloc refusal; /* first line of its file `deny`, NUL-terminated; empty if there is none */
    int names;        /* there are, or may be, rules for names */
};

#define RULES_ZERO                                                                                                     \
    {                                                                                                                  \
        .verdict = RULES_NONE, .rule = STRALLOC_ZERO, .env = STRALLOC_ZERO, .exec = STRALLOC_ZERO,                     \
        .refusal = STRALLOC_ZERO                                                                                       \
    }

/* Asks a folder, or with `cdb` a file. `host` is the verified name, or NULL. Returns 1, or 0 with errno where any of
 * it cannot be read: nobody knows then what the rules say. */
extern int rules_ask(struct rules *, char const *path, int cdb, struct ip const *, char const *host);

#endif
