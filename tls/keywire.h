/* What pneu-tlsd and pneu-keyd say to each other over run/key. A frame is four bytes of length, big-endian, and that many:
 *
 *   -> C NAME                       whose certificate? The name the client asked for, "" none
 *   <- K TYPE CURVE CHAIN           RSA or EC and its curve (BearSSL's numbers); certificates as in TLS, three bytes of length each
 *   -> S SCHEME RANDOMS PARAMETERS  sign the ServerKeyExchange made of these (RFC 8422 section 5.4): TLS's two bytes for hash
 *                                   and algorithm, 0x0001 for MD5 with SHA-1 (before TLS 1.2); client's random, server's random,
 *                                   curve and point
 *   <- K SIGNATURE                  and the connection is over
 *   <- N  there is no certificate   <- Z  not now   <- D  never: the request makes no sense
 *
 * There is no request for the signature of a hash: a hash could be one of anything. */

#ifndef PNEU_TLS_KEYWIRE_H
#define PNEU_TLS_KEYWIRE_H

#include <stddef.h>

#include "lib/netstring.h"

#define KEYWIRE_HEADER 4
#define KEYWIRE_NAME_MAX 255
#define KEYWIRE_RANDOMS 64
#define KEYWIRE_SIGNED_MAX (KEYWIRE_RANDOMS + 4 + 133) /* a point of P-521 */
#define KEYWIRE_REQUEST_MAX (KEYWIRE_HEADER + 1 + KEYWIRE_NAME_MAX)
#define KEYWIRE_ANSWER_MAX 70000
#define KEYWIRE_SIGNATURE_MAX 512

#define KEYWIRE_MD5SHA1 0x0001u

enum keywire_type { KEYWIRE_CHOOSE = 'C', KEYWIRE_SIGN = 'S' };
enum keywire_status { KEYWIRE_YES = 'K', KEYWIRE_NONE = 'N', KEYWIRE_LATER = 'Z', KEYWIRE_NEVER = 'D' };

struct keywire_request {
    enum keywire_type type;
    char name[KEYWIRE_NAME_MAX + 1];
    unsigned int scheme;
    unsigned char const *what; /* to sign, in the frame */
    size_t len;
};

/* 1 if it is a host name in lower case, which can be the name of a folder: no '/', no '.' in front. */
extern int keywire_name(char const *s, size_t len);

/* 1 if these bytes are two randoms, a named curve and a point of its size. */
extern int keywire_parameters(unsigned char const *s, size_t len);

/* Takes a request off the front. Returns 1; 0 if it is not complete; -1 if none begins so. */
extern int keywire_take(struct bytes *in, struct keywire_request *);

/* Writes a frame's length. */
extern void keywire_header(unsigned char s[static KEYWIRE_HEADER], size_t len);

/* Reads it. */
extern size_t keywire_length(unsigned char const s[static KEYWIRE_HEADER]);

#endif
