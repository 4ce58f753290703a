#include "lib/secret.h"

#include <string.h>

#include <bearssl.h>

void
secret_hmac(unsigned char out[static 32], struct bytes key, struct bytes text)
{
    br_hmac_key_context k;
    br_hmac_context c;

    br_hmac_key_init(&k, &br_sha256_vtable, key.s, key.len);
    br_hmac_init(&c, &k, 0);
    br_hmac_update(&c, text.s, text.len);
    br_hmac_out(&c, out);
}

int
secret_same(void const *one, void const *other, size_t len)
{
    unsigned char const *a = one, *b = other;
    unsigned char volatile differ = 0;

    for (size_t i = 0; i < len; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}

/* PBKDF2 (RFC 8018 section 5.2), one block. */
static void
stretch(unsigned char out[static SECRET_SIZE], struct bytes password, struct bytes salt, uint32_t rounds)
{
    static unsigned char const one[4] = {0, 0, 0, 1};
    unsigned char u[SECRET_SIZE];
    br_hmac_key_context k;
    br_hmac_context c;

    br_hmac_key_init(&k, &br_sha256_vtable, password.s, password.len);
    br_hmac_init(&c, &k, 0);
    br_hmac_update(&c, salt.s, salt.len);
    br_hmac_update(&c, one, sizeof one);
    br_hmac_out(&c, u);
    memcpy(out, u, sizeof u);
    while (--rounds) {
        br_hmac_init(&c, &k, 0);
        br_hmac_update(&c, u, sizeof u);
        br_hmac_out(&c, u);
        for (unsigned int i = 0; i < sizeof u; i++)
            out[i] ^= u[i];
    }
}

static struct bytes
key_of(unsigned char const *s)
{
    return (struct bytes){(char const *)s, SECRET_SIZE};
}

static void
sha256(unsigned char out[static 32], unsigned char const *s, size_t len)
{
    br_sha256_context c;

    br_sha256_init(&c);
    br_sha256_update(&c, s, len);
    br_sha256_out(&c, out);
}

void
secret_scram(struct secret_scram *keys, struct bytes password, struct bytes salt, uint32_t rounds)
{
    unsigned char salted[SECRET_SIZE], client[SECRET_SIZE];

    stretch(salted, password, salt, rounds);
    secret_hmac(client, key_of(salted), (struct bytes){"Client Key", 10});
    sha256(keys->stored, client, sizeof client);
    secret_hmac(keys->server, key_of(salted), (struct bytes){"Server Key", 10});
}

int
secret_scram_proves(struct secret_scram const *keys, struct bytes text, unsigned char const proof[static 32])
{
    unsigned char client[SECRET_SIZE], digest[SECRET_SIZE];

    secret_hmac(client, key_of(keys->stored), text);
    for (unsigned int i = 0; i < sizeof client; i++)
        client[i] ^= proof[i];
    sha256(digest, client, sizeof client);
    return secret_same(digest, keys->stored, sizeof digest);
}

void
secret_scram_sign(struct secret_scram const *keys, struct bytes text, unsigned char signature[static 32])
{
    secret_hmac(signature, key_of(keys->server), text);
}

/* ---- CRAM-MD5 ---- */

#define BLOCK 64 /* bytes of MD5's block */

static void
state_of(unsigned char state[static 16], unsigned char const key[static BLOCK], unsigned char pad)
{
    unsigned char block[BLOCK];
    br_md5_context c;

    for (unsigned int i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    br_md5_init(&c);
    br_md5_update(&c, block, sizeof block);
    br_md5_state(&c, state);
}

void
secret_cram(struct secret_cram *states, struct bytes password)
{
    unsigned char key[BLOCK] = {0};

    if (password.len > BLOCK) {
        br_md5_context c;
        br_md5_init(&c);
        br_md5_update(&c, password.s, password.len);
        br_md5_out(&c, key);
    } else if (password.len)
        memcpy(key, password.s, password.len);
    state_of(states->inner, key, 0x36);
    state_of(states->outer, key, 0x5c);
}

static void
resume(unsigned char out[static 16], unsigned char const state[static 16], void const *s, size_t len)
{
    br_md5_context c;

    br_md5_init(&c);
    br_md5_set_state(&c, state, BLOCK);
    br_md5_update(&c, s, len);
    br_md5_out(&c, out);
}

void
secret_cram_digest(struct secret_cram const *states, struct bytes challenge, unsigned char digest[static 16])
{
    unsigned char inner[16];

    resume(inner, states->inner, challenge.s, challenge.len);
    resume(digest, states->outer, inner, sizeof inner);
}
