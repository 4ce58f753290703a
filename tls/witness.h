/* A client's certificate: nobody vouches for it here, but the client proves that it has the key, and whoever comes behind us
 * may know the certificate by its SHA-256. An X.509 engine for BearSSL that takes any chain. */

#ifndef PNEU_TLS_WITNESS_H
#define PNEU_TLS_WITNESS_H

#include <bearssl.h>

struct witness {
    br_x509_class const *vtable; /* first */
    unsigned int count;          /* certificates so far; the first is the client's own */
    br_x509_decoder_context decoder;
    br_sha256_context hash;
    int certified;
    unsigned char digest[br_sha256_SIZE];
};

extern void witness_init(struct witness *);

#endif
