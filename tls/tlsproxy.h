/* The confined half of pneu-tlsd: TLS towards the client, plain bytes towards the program. */

#ifndef PNEU_TLS_TLSPROXY_H
#define PNEU_TLS_TLSPROXY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/tlssuite.h"
#include "tls/keyask.h"

struct tlsproxy_settings {
    unsigned int lowest; /* version */
    uint32_t timeout;    /* seconds for the whole handshake */
    uint32_t ask;        /* for a certificate of the client's */
    uint16_t suites[TLSSUITE_MAX];
    size_t count;
};

/* Serves the client on descriptors 0 and 1; `plain` leads to the program, which first gets the record (record.h). Returns an
 * exit code. */
extern int tlsproxy_run(struct tlsproxy_settings const *, struct keyask *, int plain);

/* Open descriptors, and nothing else. Returns 1, or 0 with errno. */
extern int tlsproxy_confine(void);

#endif
