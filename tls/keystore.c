#include "tls/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/alloc.h>

#include "lib/log.h"
#include "lib/tlspem.h"

#define PATH_SIZE (sizeof KEYSTORE_FOLDER + KEYWIRE_NAME_MAX + 16)

static char const *
path_of(char path[static PATH_SIZE], char const *name, char const *file)
{
    stpcpy(stpcpy(stpcpy(stpcpy(path, KEYSTORE_FOLDER "/"), name), "/"), file);
    return path;
}

/* ---- reading ---- */

static ssize_t
read_small(char const *path, char *s, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t len = 0;
    ssize_t n = 1;

    if (fd == -1)
        return -1;
    while (n > 0 && len < size) {
        n = read(fd, s + len, size - len);
        if (n > 0)
            len += (size_t)n;
    }
    int e = errno;
    close(fd);
    errno = e;
    return n == -1 ? -1 : (ssize_t)len;
}

static int
read_key(struct keystore_pair *p, char const *name)
{
    char path[PATH_SIZE], pem[TLSPEM_KEY_MAX + 1];
    ssize_t len = read_small(path_of(path, name, "key.pem"), pem, sizeof pem);
    int good = len != -1 && tlspem_key(&p->key, (struct bytes){pem, (size_t)len});

    int e = errno;
    explicit_bzero(pem, sizeof pem);
    return (errno = e, good);
}

static int
read_chain(struct keystore_pair *p, char const *name)
{
    char path[PATH_SIZE];
    char *pem = malloc(TLSPEM_CHAIN_MAX + 1);
    ssize_t len;
    int good;

    if (!pem)
        return 0;
    len = read_small(path_of(path, name, "chain.pem"), pem, TLSPEM_CHAIN_MAX + 1);
    good = len != -1 && tlspem_chain(&p->chain, (struct bytes){pem, (size_t)len});
    int e = errno;
    free(pem);
    return (errno = e, good);
}

void
keystore_release(struct keystore_pair *p)
{
    if (!p || --p->users)
        return;
    stralloc_free(&p->chain);
    explicit_bzero(p, sizeof *p);
    free(p);
}

struct keystore_pair *
keystore_read(char const *name, char const **why)
{
    struct keystore_pair *p = calloc(1, sizeof *p);

    *why = "memory";
    if (!p)
        return NULL;
    p->users = 1;
    *why = NULL;
    if (!read_chain(p, name))
        *why = errno == EPROTO  ? "chain.pem: no certificates in PEM form"
               : errno == EFBIG ? "chain.pem: too large"
                                : "chain.pem: cannot be read";
    else if (!read_key(p, name))
        *why = errno == EPROTO  ? "key.pem: no RSA or EC key in PEM form without a password"
               : errno == EFBIG ? "key.pem: larger than 4096 bits of RSA, or more in the file than a key"
                                : "key.pem: cannot be read";
    else if (!tlspem_matches(&p->key, (struct bytes){p->chain.s, p->chain.len})) {
        *why = "key.pem: not the key of the first certificate in chain.pem";
        errno = EPROTO;
    }
    if (!*why)
        return p;
    int e = errno;
    keystore_release(p);
    return (errno = e, NULL);
}

/* ---- names ---- */

/* Returns 1, or 0 if the file is not there. */
static int
stamp(struct keystore_stamp *to, char const *name, char const *file)
{
    char path[PATH_SIZE];
    struct stat st;

    memset(to, 0, sizeof *to); /* they are compared byte by byte */
    if (stat(path_of(path, name, file), &st) == -1)
        return 0;
    to->dev = st.st_dev;
    to->ino = st.st_ino;
    to->size = st.st_size;
    to->modified = st.st_mtim;
    to->changed = st.st_ctim;
    return 1;
}

/* That name's entry, or one to put it in. */
static struct keystore_entry *
entry_of(struct keystore *s, char const *name)
{
    struct keystore_entry *oldest = s->entries;

    for (size_t i = 0; i < KEYSTORE_NAMES; i++) {
        if (!strcmp(s->entries[i].name, name))
            return s->entries + i;
        if (s->entries[i].used < oldest->used)
            oldest = s->entries + i;
    }
    return oldest;
}

static void
forget(struct keystore_entry *e)
{
    keystore_release(e->pair);
    *e = (struct keystore_entry){.pair = NULL};
}

static void
log_unusable(char const *name, char const *why, int e, int kept)
{
    struct log l;

    log_start(&l, "certificate");
    log_str(&l, "name", name);
    log_str(&l, "problem", why);
    log_errno(&l, e);
    if (kept)
        log_str(&l, "using", "the_one_before");
    log_end(&l);
}

static void
log_read(char const *name)
{
    struct log l;

    log_start(&l, "read");
    log_str(&l, "name", name);
    log_end(&l);
}

/* The pair of exactly that folder; NULL: none. */
static struct keystore_pair *
look_up(struct keystore *s, char const *name)
{
    struct keystore_entry *e = entry_of(s, name);
    struct keystore_stamp key, chain;
    int known = !strcmp(e->name, name), there = stamp(&chain, name, "chain.pem") && stamp(&key, name, "key.pem");

    if (!there) {
        if (known)
            forget(e);
        return NULL;
    }
    if (!known) {
        forget(e);
        strcpy(e->name, name);
    }
    e->used = ++s->clock;
    if (!known || memcmp(&e->key, &key, sizeof key) != 0 || memcmp(&e->chain, &chain, sizeof chain) != 0) {
        char const *why;
        struct keystore_pair *pair = keystore_read(name, &why);
        if (pair) {
            keystore_release(e->pair);
            e->pair = pair;
            log_read(name);
        } else
            log_unusable(name, why, errno, e->pair != NULL);
        e->key = key;
        e->chain = chain;
    }
    return e->pair;
}

struct keystore_pair *
keystore_find(struct keystore *s, char const *name)
{
    char const *parent = strchr(name, '.');
    struct keystore_pair *pair = *name ? look_up(s, name) : NULL;

    if (!pair && parent && parent[1])
        pair = look_up(s, parent);
    if (!pair)
        pair = look_up(s, "default");
    if (pair)
        pair->users++;
    return pair;
}

/* ---- signing ---- */

#define RSA 1
#define ECDSA 3
#define DIGEST_MAX 64

struct digest {
    unsigned char bytes[DIGEST_MAX];
    size_t len;
    br_hash_class const *class;
    unsigned char const *oid; /* PKCS#1's; NULL for MD5 with SHA-1 */
};

static void
hash(br_hash_class const *class, struct keywire_request const *r, unsigned char *to)
{
    br_hash_compat_context context;

    class->init(&context.vtable);
    class->update(&context.vtable, r->what, r->len);
    class->out(&context.vtable, to);
}

/* Returns 1, or 0 if that hash may not be. */
static int
digest(struct keywire_request const *r, int legacy, struct digest *d)
{
    struct {
        unsigned int id;
        int legacy;
        br_hash_class const *class;
        unsigned char const *oid;
    } const hashes[] = {{br_sha256_ID, 0, &br_sha256_vtable, BR_HASH_OID_SHA256},
                        {br_sha384_ID, 0, &br_sha384_vtable, BR_HASH_OID_SHA384},
                        {br_sha512_ID, 0, &br_sha512_vtable, BR_HASH_OID_SHA512},
                        {br_sha1_ID, 1, &br_sha1_vtable, BR_HASH_OID_SHA1}};

    if (r->scheme == KEYWIRE_MD5SHA1) {
        hash(&br_md5_vtable, r, d->bytes);
        hash(&br_sha1_vtable, r, d->bytes + br_md5_SIZE);
        d->len = br_md5_SIZE + br_sha1_SIZE;
        d->oid = NULL;
        return legacy;
    }
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        if (r->scheme >> 8 == hashes[i].id && (legacy || !hashes[i].legacy)) {
            d->class = hashes[i].class;
            d->oid = hashes[i].oid;
            d->len = d->class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
            hash(d->class, r, d->bytes);
            return 1;
        }
    return 0;
}

static size_t
sign_rsa(br_rsa_private_key const *key, struct digest const *d, unsigned char *signature)
{
    size_t len = (key->n_bitlen + 7) / 8;

    return len <= KEYWIRE_SIGNATURE_MAX && br_rsa_pkcs1_sign_get_default()(d->oid, d->bytes, d->len, key, signature)
               ? len
               : 0;
}

size_t
keystore_sign(struct keystore_pair const *p, struct keywire_request const *r, int legacy,
              unsigned char signature[static KEYWIRE_SIGNATURE_MAX])
{
    int type = br_skey_decoder_key_type(&p->key);
    struct digest d;

    if ((r->scheme & 0xff) != (type == BR_KEYTYPE_RSA ? RSA : ECDSA) || !digest(r, legacy, &d))
        return 0;
    if (type == BR_KEYTYPE_RSA)
        return sign_rsa(br_skey_decoder_get_rsa(&p->key), &d, signature);
    return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), d.class, d.bytes, br_skey_decoder_get_ec(&p->key),
                                            signature);
}
