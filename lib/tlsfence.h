/* The only way into two decoders of BearSSL 0.6 that write past their own end:
 *
 * br_x509_decoder_push goes on after an error. A certificate in pieces, with an RSA key of more than 4160 bits, overflows the
 * context: whoever shows one to us could do that from afar. Here nothing is pushed once the decoder has said anything but
 * "more".
 *
 * br_skey_decoder_push does not ask whether a private key fits. Here the key is measured before it is decoded.
 *
 * ./do lint looks that no other file calls these. */

#ifndef PNEU_LIB_TLSFENCE_H
#define PNEU_LIB_TLSFENCE_H

#include <bearssl.h>
#include <stddef.h>

#define TLSFENCE_KEY_MAX 2432 /* bytes of DER: 4096 bits of RSA in PKCS#8 have 2376 */

/* A certificate begins. `dn` gets the subject's name, piece by piece; NULL: nobody wants it. */
extern void tlsfence_x509_init(br_x509_decoder_context *, void (*dn)(void *ctx, void const *s, size_t len), void *ctx);

/* A piece of it. Returns 1, or 0 if the decoder wants no more: at the certificate's end, or because of an error, which
 * br_x509_decoder_last_error tells. What follows is not looked at. */
extern int tlsfence_x509_push(br_x509_decoder_context *, void const *s, size_t len);

/* A private key: PKCS#1 or PKCS#8 RSA of at most 4096 bits, SEC1 or PKCS#8 EC. Returns 1, or 0 with EPROTO if it is none, EFBIG
 * if it is one that the decoder has no room for. */
extern int tlsfence_key(br_skey_decoder_context *, unsigned char const *der, size_t len);

#endif
