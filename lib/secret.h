/* What is stored of a password so that its owner can prove that he knows it without saying it: SCRAM-SHA-256's keys
 * (RFC 5802, RFC 7677), CRAM-MD5's two states of HMAC-MD5 (RFC 2195, RFC 2104). On BearSSL. */

#ifndef PNEU_LIB_SECRET_H
#define PNEU_LIB_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "lib/netstring.h"

#define SECRET_SIZE 32 /* bytes of SHA-256 */

/* Enough to check a proof and to prove that the server knows the password, too; who steals them can pretend to be this
 * server, and must still guess the password, at `rounds` of HMAC a guess. */
struct secret_scram {
    unsigned char stored[SECRET_SIZE], server[SECRET_SIZE];
};

/* Makes them: PBKDF2 with that many rounds (at least 1). */
extern void secret_scram(struct secret_scram *, struct bytes password, struct bytes salt, uint32_t rounds);

/* 1 if whoever made that proof over the text (RFC 5802's AuthMessage) knows the password. */
extern int secret_scram_proves(struct secret_scram const *, struct bytes text, unsigned char const proof[static 32]);

/* The server's own proof. */
extern void secret_scram_sign(struct secret_scram const *, struct bytes text, unsigned char signature[static 32]);

/* MD5's inner and outer state once the key has gone through. Not the password, but as good as it for CRAM-MD5. */
struct secret_cram {
    unsigned char inner[16], outer[16];
};

extern void secret_cram(struct secret_cram *, struct bytes password);

/* The answer to a challenge. */
extern void secret_cram_digest(struct secret_cram const *, struct bytes challenge, unsigned char digest[static 16]);

/* HMAC-SHA-256. */
extern void secret_hmac(unsigned char out[static 32], struct bytes key, struct bytes text);

/* 1 if they are the same, in a time that does not tell where they differ. */
extern int secret_same(void const *, void const *, size_t len);

#endif
