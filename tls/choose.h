/* What pneu-tlsd decides about a handshake: certificate, suite, hash. BearSSL asks through `vtable`. */

#ifndef PNEU_TLS_CHOOSE_H
#define PNEU_TLS_CHOOSE_H

#include <bearssl.h>

#include "tls/keyask.h"

struct choose {
    br_ssl_server_policy_class const *vtable; /* first: BearSSL knows us by its address */
    br_ssl_engine_context *engine;
    struct keyask *keys;
    int problem; /* errno of what pneu-keyd could not do; 0 */
};

extern void choose_init(struct choose *, br_ssl_engine_context *, struct keyask *);

/* The name the client asked for, in lower case; "" if there is none or it is no host's. */
extern void choose_name(br_ssl_engine_context const *, char name[static KEYWIRE_NAME_MAX + 1]);

#endif
