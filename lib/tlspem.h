/* Private keys and certificate chains in PEM files (RFC 7468), as TLS servers have them. */

#ifndef PNEU_LIB_TLSPEM_H
#define PNEU_LIB_TLSPEM_H

#include <bearssl.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

#define TLSPEM_KEY_MAX 3480    /* bytes of a key's file: one of 4096 bits of RSA has 3272 */
#define TLSPEM_CHAIN_MAX 65536 /* bytes of a chain's file */
#define TLSPEM_CERTIFICATES 10 /* of a chain */

/* Reads the one key in a file; what else is there ("EC PARAMETERS") is passed over. The key refers to itself: it must not be
 * moved. Returns 1, or 0 with errno: EPROTO if there is no key or none that is understood (an encrypted one, Ed25519), EFBIG if
 * the file, or the key, is too large. */
extern int tlspem_key(br_skey_decoder_context *key, struct bytes pem);

/* Reads the certificates of a file in their order, into the form they have in TLS's Certificate message: three bytes of
 * length, DER, and so on. Returns how many there are, or 0 with errno: EPROTO if there is none or one is damaged, EFBIG if
 * there is too much, ENOMEM. */
extern unsigned int tlspem_chain(stralloc *chain, struct bytes pem);

/* Takes the first certificate off such a chain. Returns 1; 0 at the end, or where it is malformed. */
extern int tlspem_take(struct bytes *chain, br_x509_certificate *);

/* 1 if the key belongs to that chain's first certificate. */
extern int tlspem_matches(br_skey_decoder_context const *key, struct bytes chain);

#endif
