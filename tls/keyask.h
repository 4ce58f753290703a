/* pneu-tlsd's side of run/key (tls/keywire.h). */

#ifndef PNEU_TLS_KEYASK_H
#define PNEU_TLS_KEYASK_H

#include <bearssl.h>
#include <stddef.h>

#include "lib/tlspem.h"
#include "tls/keywire.h"

struct keyask {
    int fd; /* connected to run/key; -1: over */
    int type, curve;
    br_x509_certificate chain[TLSPEM_CERTIFICATES];
    size_t count;
    unsigned char
        *answer; /* KEYWIRE_ANSWER_MAX bytes in pages of their own: the chain's are here; NULL: not asked yet */
};

/* Connects. No answer is waited for longer than that many seconds. Returns 1, or 0 with errno. */
extern int keyask_open(struct keyask *, unsigned int seconds);

/* Asks for the certificate for a name ("": the default one). Returns 1, or 0 with errno: ENOENT if there is none. */
extern int keyask_choose(struct keyask *, char const *name);

/* Asks for the signature, which ends the connection. Returns its length, or 0 with errno. */
extern size_t keyask_sign(struct keyask *, unsigned int scheme, unsigned char const *what, size_t len,
                          unsigned char *signature, size_t size);

extern void keyask_close(struct keyask *);

/* The handshake is over: gives back the memory of the chain. */
extern void keyask_forget(struct keyask *);

#endif
