#include "tls/choose.h"

#include <errno.h>
#include <string.h>

#include "lib/tlssuite.h"

#define RSA 1u /* TLS's numbers for signatures */
#define ECDSA 3u

void
choose_name(br_ssl_engine_context const *e, char name[static KEYWIRE_NAME_MAX + 1])
{
    char const *asked = br_ssl_engine_get_server_name(e);
    size_t len = strnlen(asked, KEYWIRE_NAME_MAX + 1);

    for (size_t i = 0; i < len && i < KEYWIRE_NAME_MAX; i++)
        name[i] = (char)(asked[i] >= 'A' && asked[i] <= 'Z' ? asked[i] + 32 : asked[i]);
    if (len && len <= KEYWIRE_NAME_MAX && name[len - 1] == '.')
        len--;
    if (len > KEYWIRE_NAME_MAX || !keywire_name(name, len))
        len = 0;
    name[len] = 0;
}

/* The first of SHA-256, SHA-384, SHA-512, SHA-1 that the client takes; 0: none. pneu-keyd knows when SHA-1 may be. */
static unsigned int
find_hash(uint32_t hashes, int rsa)
{
    static unsigned int const known[] = {br_sha256_ID, br_sha384_ID, br_sha512_ID, br_sha1_ID};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (hashes >> (rsa ? 0 : 8) & 1u << known[i])
            return known[i];
    return 0;
}

/* All of these are below 0xFF00: so BearSSL hands us what is to be signed, not its hash. */
static unsigned int
find_scheme(br_ssl_server_context const *s, int rsa)
{
    unsigned int found;

    if (br_ssl_engine_get_version(&s->eng) < BR_TLS12)
        return rsa ? KEYWIRE_MD5SHA1 : (unsigned int)br_sha1_ID << 8 | ECDSA;
    found = find_hash(br_ssl_server_get_client_hashes(s), rsa);
    return found ? found << 8 | (rsa ? RSA : ECDSA) : 0;
}

/* Client and server agree on these, the best first. */
static uint16_t
find_suite(br_ssl_server_context const *s, int rsa)
{
    unsigned int exchange = rsa ? BR_SSLKEYX_ECDHE_RSA : BR_SSLKEYX_ECDHE_ECDSA;
    size_t n;
    br_suite_translated const *suites = br_ssl_server_get_client_suites(s, &n);

    for (size_t i = 0; i < n; i++)
        if (suites[i][1] >> 12 == exchange)
            return suites[i][0];
    return 0;
}

static int
choose(br_ssl_server_policy_class const **vtable, br_ssl_server_context const *s, br_ssl_server_choices *choices)
{
    struct choose *c = (struct choose *)(void *)vtable;
    char name[KEYWIRE_NAME_MAX + 1];
    int rsa;

    choose_name(&s->eng, name);
    if (!keyask_choose(c->keys, name)) {
        c->problem = errno;
        return 0;
    }
    rsa = c->keys->type == BR_KEYTYPE_RSA;
    choices->cipher_suite = find_suite(s, rsa);
    choices->algo_id = find_scheme(s, rsa);
    tlssuite_cipher(c->engine, choices->cipher_suite);
    choices->chain = c->keys->chain;
    choices->chain_len = c->keys->count;
    return choices->cipher_suite && choices->algo_id &&
           (rsa || br_ssl_server_get_client_curves(s) >> (c->keys->curve & 31) & 1);
}

/* For suites without ECDHE, of which there are none. */
static uint32_t
exchange(br_ssl_server_policy_class const **vtable, unsigned char *data, size_t *len)
{
    return 0;
}

static size_t
sign(br_ssl_server_policy_class const **vtable, unsigned int scheme, unsigned char *data, size_t len, size_t size)
{
    struct choose *c = (struct choose *)(void *)vtable;
    size_t n = keyask_sign(c->keys, scheme, data, len, data, size);

    if (!n)
        c->problem = errno;
    return n;
}

void
choose_init(struct choose *c, br_ssl_engine_context *engine, struct keyask *keys)
{
    static br_ssl_server_policy_class const class = {
        .context_size = sizeof *c,
        .choose = choose,
        .do_keyx = exchange,
        .do_sign = sign,
    };

    *c = (struct choose){.vtable = &class, .engine = engine, .keys = keys};
}
