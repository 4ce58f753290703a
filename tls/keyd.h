/* pneu-keyd's work: one process, many connections of pneu-tlsd, two small questions on each (tls/keywire.h). */

#ifndef PNEU_TLS_KEYD_H
#define PNEU_TLS_KEYD_H

#include <stdint.h>
#include <sys/types.h>

#include "tls/keystore.h"

#define KEYD_CONNECTIONS 1000 /* at a time; one more ends the oldest */
#define KEYD_PATIENCE 300     /* seconds a connection may last: more than a handshake may */

/* Why nothing is signed; the log tells each at most once a second. */
enum keyd_reason { KEYD_RATE, KEYD_UNCHOSEN, KEYD_SCHEME, KEYD_MALFORMED, KEYD_STRANGER, KEYD_REASONS };

struct keyd_connection {
    int fd; /* -1: free */
    int64_t began;
    struct keystore_pair *pair; /* chosen */
    size_t len;
    unsigned char in[KEYWIRE_REQUEST_MAX];
};

struct keyd {
    uid_t pneud;                    /* whom we believe */
    uint32_t rate;                  /* signatures a second */
    int legacy;                     /* TLS before 1.2 is allowed somewhere */
    void (*refresh)(struct keyd *); /* called at most once a second: settings may have changed */
    struct keystore store;
    struct keyd_connection connections[KEYD_CONNECTIONS];
    size_t count; /* the first so many connections are looked at */
    double allowance;
    int64_t last; /* milliseconds: when the allowance grew */
    int64_t refreshed;
    int64_t complained[KEYD_REASONS];
};

extern void keyd_init(struct keyd *);

/* Serves the listening descriptor 0 until `signals` is readable. Returns 1, or 0 with errno. */
extern int keyd_run(struct keyd *, int signals);

/* Files of tls/ and control/ to read, connections to accept, nothing else; no other process may look into its memory. Returns
 * 1, or 0 with errno. */
extern int keyd_confine(void);

#endif
