/* What the confined proxy tells the other half of pneu-tlsd once the handshake is done: a record of bytes, each of which is
 * checked, and no text but the name that the client asked for. */

#ifndef PNEU_TLS_RECORD_H
#define PNEU_TLS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "tls/keywire.h"

#define RECORD_DIGEST 32 /* SHA-256 */
#define RECORD_FIXED (2 + 2 + 1 + RECORD_DIGEST + 1)
#define RECORD_MAX (RECORD_FIXED + KEYWIRE_NAME_MAX)

struct record {
    uint16_t version, suite;             /* as TLS numbers them */
    int certified;                       /* the client has shown a certificate, and that it has its key */
    unsigned char digest[RECORD_DIGEST]; /* of the certificate */
    char name[KEYWIRE_NAME_MAX + 1];     /* asked for by the client, in lower case; "" none, or none that is a host's */
};

/* Returns its length. */
extern size_t record_write(unsigned char s[static RECORD_MAX], struct record const *);

/* Bytes the whole record has, once RECORD_FIXED are there. */
extern size_t record_length(unsigned char const s[static RECORD_FIXED]);

/* Reads one. Returns 1; 0 if anything in it is not as it must be. */
extern int record_read(struct record *, unsigned char const *s, size_t len);

/* Appends what the program gets, NAME=VALUE each ended by NUL: SSL_PROTOCOL, SSL_CIPHER, SSL_TLS_SNI_SERVERNAME,
 * SSL_PEER_CERT_HASH, as s6-ucspitlsd has them. Returns 1, or 0 with ENOMEM. */
extern int record_environment(struct record const *, stralloc *);

#endif
