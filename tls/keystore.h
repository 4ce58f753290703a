/* The certificates of an instance: tls/NAME/key.pem and tls/NAME/chain.pem. NAME is the host name that clients ask for,
 * ".example.org" that of all hosts right below it, "default" is for all the rest; links give a certificate several names.
 *
 * Files are looked at whenever they are asked for, so a renewed certificate counts from the next connection. Half of a
 * renewal, a key that does not belong to its chain, is passed over: what was read before counts on. */

#ifndef PNEU_TLS_KEYSTORE_H
#define PNEU_TLS_KEYSTORE_H

#include <bearssl.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <skalibs/stralloc.h>

#include "tls/keywire.h"

#define KEYSTORE_FOLDER "tls"
#define KEYSTORE_NAMES 64 /* kept in memory; the one unused for longest goes first */

/* A key and its chain. Shared by the store and by connections, each of which counts. */
struct keystore_pair {
    unsigned int users;
    br_skey_decoder_context key;
    stralloc chain; /* as tlspem_chain makes it */
};

/* How a file was when it was read last. */
struct keystore_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec modified, changed;
};

struct keystore_entry {
    char name[KEYWIRE_NAME_MAX + 2]; /* "": free */
    struct keystore_stamp key, chain;
    uint64_t used;
    struct keystore_pair *pair; /* NULL: these files are no certificate */
};

struct keystore {
    struct keystore_entry entries[KEYSTORE_NAMES];
    uint64_t clock;
};

/* The certificate for that name ("": none asked for), to be given back by keystore_release. NULL: there is none. What cannot be
 * read is logged once. */
extern struct keystore_pair *keystore_find(struct keystore *, char const *name);
extern void keystore_release(struct keystore_pair *);

/* Reads a pair. Returns it, with one user; or NULL with errno, and *why: what is wrong with which of the two ("key.pem: ..."). */
extern struct keystore_pair *keystore_read(char const *name, char const **why);

/* Signs a ServerKeyExchange's parameters (keywire.h). `legacy`: hashes of the time before TLS 1.2 may be used, too. Returns the
 * signature's length; 0 if that scheme is none of this key's. */
extern size_t keystore_sign(struct keystore_pair const *, struct keywire_request const *, int legacy,
                            unsigned char signature[static KEYWIRE_SIGNATURE_MAX]);

#endif
