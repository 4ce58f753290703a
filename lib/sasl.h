/* The messages of four SASL mechanisms, as bytes already decoded from Base64: PLAIN (RFC 4616), LOGIN, CRAM-MD5
 * (RFC 2195), SCRAM-SHA-256 (RFC 5802, RFC 7677). They are only taken apart here: nothing is allocated, nothing is asked,
 * and what comes out leads into what went in. The functions return 1, or 0 with EPROTO. */

#ifndef PNEU_LIB_SASL_H
#define PNEU_LIB_SASL_H

#include <stddef.h>

#include "lib/netstring.h"

#define SASL_NAME_MAX 255     /* bytes of a login */
#define SASL_PASSWORD_MAX 255 /* of a password; checkpassword's descriptor 3 holds 512 with the login */
#define SASL_NONCE_MAX 256
#define SASL_MESSAGE_MAX 4096 /* of a message */

enum sasl { SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5, SASL_SCRAM_SHA_256, SASL_count };

/* The mechanism of that name, case ignored; SASL_count if we know none. */
extern enum sasl sasl_named(char const *name, size_t len);
extern char const *const sasl_names[SASL_count];

/* Reads a list of mechanisms, separated by blanks: *methods gets 1 << SASL_x of each. 0 if one is unknown. */
extern int sasl_list(char const *text, unsigned int *methods);

/* 1 if it may be a login: 1 to SASL_NAME_MAX bytes, none below 0x21, no 0x7f and no ':' (which ends it in tables). */
extern int sasl_login(struct bytes);

/* 1 if it may be a password: 1 to SASL_PASSWORD_MAX bytes, no NUL. */
extern int sasl_password(struct bytes);

/* "authzid NUL login NUL password"; the first may be empty. */
extern int sasl_plain(struct bytes message, struct bytes *authzid, struct bytes *login, struct bytes *password);

/* "login digest": the digest as 32 small hexadecimal digits. */
extern int sasl_cram(struct bytes message, struct bytes *login, unsigned char digest[static 16]);

/* The client's first message: "n,a=authzid,n=login,r=nonce", or with y for n. `gs2` is its header, `bare` the rest. Names
 * still have "=2C" for ',' and "=3D" for '='. Channel binding ("p=") and extensions that must be understood ("m=") are
 * errors here. */
struct sasl_first {
    struct bytes gs2, authzid, bare, login, nonce;
};

extern int sasl_scram_first(struct bytes message, struct sasl_first *);

/* A name with its escapes taken away, into out. Returns its length, or 0: it is empty, longer than SASL_NAME_MAX or
 * malformed. */
extern size_t sasl_scram_name(char out[static SASL_NAME_MAX], struct bytes name);

/* The client's last: "c=binding,r=nonce,p=proof". `unproven` is all before ",p=". */
struct sasl_final {
    struct bytes binding, nonce, unproven; /* binding is still Base64 */
    unsigned char proof[32];
};

extern int sasl_scram_final(struct bytes message, struct sasl_final *);

#endif
