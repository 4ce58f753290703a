/* The cipher suites we take: ECDHE alone, so that what was recorded stays secret when a key is lost. Names are OpenSSL's. */

#ifndef PNEU_LIB_TLSSUITE_H
#define PNEU_LIB_TLSSUITE_H

#include <bearssl.h>
#include <stddef.h>
#include <stdint.h>

#define TLSSUITE_MAX 18

/* Its name, NULL if it is none of ours. */
extern char const *tlssuite_name(uint16_t suite);

/* The suite of that name, case ignored; 0: there is none. */
extern uint16_t tlssuite_named(char const *name);

/* The best first: AES-GCM where the processor has it, else ChaCha20; CBC at the end. Returns how many. */
extern size_t tlssuite_default(uint16_t suites[static TLSSUITE_MAX]);

/* Gives the engine suites and versions (BR_TLS10..), and what these need, their ciphers apart. */
extern void tlssuite_engine(br_ssl_engine_context *, uint16_t const *suites, size_t n, unsigned int lowest);

/* And the cipher of the one suite that was chosen. What the processor has is asked for each, which costs more than a curve
 * where a virtual machine answers for it. */
extern void tlssuite_cipher(br_ssl_engine_context *, uint16_t suite);

/* "TLSv1.2", as SSL_PROTOCOL says it; NULL if it is none. */
extern char const *tlssuite_protocol(unsigned int version);

/* Reads "1.0", "1.1", "1.2"; 0: none of them. */
extern unsigned int tlssuite_version(char const *text);

#endif
