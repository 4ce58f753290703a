/* The challenge methods: pneu-authd looks into users/passwords itself. It keeps nothing between two questions: what it said
 * comes back with the second. Whoever asks is believed that it did: he is the one who heeds the answer. */

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <skalibs/types.h>

#include "auth/authd.h"
#include "control/passwords.h"
#include "lib/base64.h"
#include "lib/sasl.h"

#define NONCE 18 /* random bytes of ours */

static int
put_random(stralloc *to)
{
    char bytes[NONCE], text[BASE64_ENCODED(NONCE)];

    return getrandom(bytes, sizeof bytes, 0) == sizeof bytes &&
           stralloc_catb(to, text, base64_encode(text, bytes, sizeof bytes));
}

/* Reads users/passwords. Returns 1, or 0 and the verdict is made. */
static int
read_store(stralloc *text, struct authd_reply *r)
{
    if (passwords_read(PASSWORDS, text) != -1)
        return 1;
    authd_verdict(r, 'Z', "store");
    return 0;
}

/* The password that fits was found: the rest is whether it may. */
static void
found(struct auth_question const *q, struct password const *p, struct authd_reply *r)
{
    char service[16] = "";

    if (q->service.len < sizeof service)
        memcpy(service, q->service.s, q->service.len);
    if (!stralloc_copyb(&r->name, p->name.s, p->name.len) || !stralloc_copyb(&r->rights, p->rights.s, p->rights.len))
        authd_verdict(r, 'Z', "memory");
    else if (passwords_may(p->rights, service))
        authd_verdict(r, 'K', "");
    else
        authd_verdict(r, 'D', "rights");
}

/* ---- SCRAM-SHA-256 ---- */

/* Salt and rounds of the first password that has them. Whoever has none, or is nobody, gets what he could have. */
static int
find_salt(struct authd_reply const *r, stralloc const *store, struct password_scram *v)
{
    struct bytes cursor = {store->s, store->len};
    struct bytes const login = {r->login.s, r->login.len};
    stralloc key = STRALLOC_ZERO;
    struct password p;
    int done = 0;

    while (!done && passwords_find(&cursor, login, &p))
        done = passwords_scram(&p, v);
    if (!done) {
        v->rounds = PASSWORDS_ROUNDS;
        done = passwords_read(PASSWORDS_KEY, &key) != -1;
        passwords_salt((struct bytes){key.s, key.len}, login, v->salt);
        stralloc_free(&key);
    }
    return done;
}

static void
scram_challenge(struct sasl_first const *first, stralloc const *store, struct authd_reply *r)
{
    char salt[BASE64_ENCODED(PASSWORDS_SALT)], digits[UINT32_FMT];
    struct password_scram v;

    if (!find_salt(r, store, &v)) {
        authd_verdict(r, 'Z', "store");
        return;
    }
    base64_encode(salt, (char const *)v.salt, sizeof v.salt);
    if (stralloc_cats(&r->data, "r=") && stralloc_catb(&r->data, first->nonce.s, first->nonce.len) &&
        put_random(&r->data) && stralloc_cats(&r->data, ",s=") && stralloc_catb(&r->data, salt, sizeof salt) &&
        stralloc_cats(&r->data, ",i=") && stralloc_catb(&r->data, digits, uint32_fmt(digits, v.rounds)))
        authd_verdict(r, 'C', "");
}

/* The nonce of what we said: ours behind his. */
static int
is_nonce(struct bytes said, struct bytes client, struct bytes nonce)
{
    char const *end = said.len ? memchr(said.s, ',', said.len) : NULL;
    size_t len = end ? (size_t)(end - said.s) : 0;

    return len > 2 + client.len && !memcmp(said.s, "r=", 2) && nonce.len == len - 2 &&
           !memcmp(said.s + 2, nonce.s, nonce.len) && !memcmp(nonce.s, client.s, client.len);
}

/* "c=" repeats the header of the first message: nobody took the offer of channel binding out on the way. */
static int
is_binding(struct bytes gs2, struct bytes binding)
{
    char text[BASE64_ENCODED(2 * SASL_NAME_MAX)];

    return gs2.len <= 2 * SASL_NAME_MAX && binding.len == base64_encode(text, gs2.s, gs2.len) &&
           !memcmp(text, binding.s, binding.len);
}

static void
scram_proof(struct auth_question const *q, struct sasl_first const *first, stralloc const *store, struct authd_reply *r)
{
    struct bytes cursor = {store->s, store->len};
    struct bytes const login = {r->login.s, r->login.len};
    stralloc said = STRALLOC_ZERO;
    unsigned char signature[SECRET_SIZE];
    char text[BASE64_ENCODED(SECRET_SIZE)];
    struct sasl_final final;
    struct password_scram v;
    struct password p;
    char const *reason = "nobody";

    if (!sasl_scram_final(q->said[2], &final) || !is_nonce(q->said[1], first->nonce, final.nonce) ||
        !is_binding(first->gs2, final.binding)) {
        authd_verdict(r, 'M', "malformed");
        return;
    }
    if (!stralloc_catb(&said, first->bare.s, first->bare.len) || !stralloc_append(&said, ',') ||
        !stralloc_catb(&said, q->said[1].s, q->said[1].len) || !stralloc_append(&said, ',') ||
        !stralloc_catb(&said, final.unproven.s, final.unproven.len))
        return;
    authd_verdict(r, 'D', reason);
    while (passwords_find(&cursor, login, &p)) {
        if (!passwords_scram(&p, &v)) {
            authd_verdict(r, 'D', strcmp(reason, "nobody") ? reason : "verifier");
            continue;
        }
        authd_verdict(r, 'D', reason = "password");
        if (!secret_scram_proves(&v.keys, (struct bytes){said.s, said.len}, final.proof))
            continue;
        secret_scram_sign(&v.keys, (struct bytes){said.s, said.len}, signature);
        r->data.len = 0;
        if (stralloc_cats(&r->data, "v=") &&
            stralloc_catb(&r->data, text, base64_encode(text, (char *)signature, sizeof signature)))
            found(q, &p, r);
        if (r->answer.class == 'K')
            break;
        r->data.len = 0;
        reason = "rights";
    }
    stralloc_free(&said);
}

void
authd_scram(struct authd const *d, struct auth_question const *q, struct authd_reply *r)
{
    stralloc store = STRALLOC_ZERO;
    char name[SASL_NAME_MAX];
    struct sasl_first first;
    size_t len;

    if (!q->count || !sasl_scram_first(q->said[0], &first) || !(len = sasl_scram_name(name, first.login))) {
        authd_verdict(r, 'M', "malformed");
        return;
    }
    if (!authd_login(d, (struct bytes){name, len}, r))
        return;
    if (first.authzid.len &&
        (first.authzid.len != first.login.len || memcmp(first.authzid.s, first.login.s, first.login.len) != 0)) {
        authd_verdict(r, 'D', "authzid");
        return;
    }
    if (read_store(&store, r)) {
        if (q->count == 1)
            scram_challenge(&first, &store, r);
        else
            scram_proof(q, &first, &store, r);
    }
    stralloc_free(&store);
}

/* ---- CRAM-MD5 ---- */

static void
cram_challenge(struct authd const *d, struct authd_reply *r)
{
    char digits[UINT64_FMT];

    if (stralloc_append(&r->data, '<') && put_random(&r->data) && stralloc_append(&r->data, '.') &&
        stralloc_catb(&r->data, digits, uint64_fmt(digits, (uint64_t)time(NULL))) && stralloc_append(&r->data, '@') &&
        stralloc_catb(&r->data, d->me.s, d->me.len) && stralloc_append(&r->data, '>'))
        authd_verdict(r, 'C', "");
}

void
authd_cram(struct authd const *d, struct auth_question const *q, struct authd_reply *r)
{
    stralloc store = STRALLOC_ZERO;
    unsigned char digest[16], right[16];
    struct secret_cram v;
    struct password p;
    struct bytes login;

    if (!q->count) {
        cram_challenge(d, r);
        return;
    }
    if (q->count != 3 || !sasl_cram(q->said[2], &login, digest)) {
        authd_verdict(r, 'M', "malformed");
        return;
    }
    if (!authd_login(d, login, r) || !read_store(&store, r))
        return;
    struct bytes cursor = {store.s, store.len};
    authd_verdict(r, 'D', "nobody");
    while (r->answer.class == 'D' && passwords_find(&cursor, (struct bytes){r->login.s, r->login.len}, &p)) {
        if (!passwords_cram(&p, &v)) {
            authd_verdict(r, 'D', "verifier");
            continue;
        }
        secret_cram_digest(&v, q->said[1], right);
        authd_verdict(r, 'D', "password");
        if (secret_same(right, digest, sizeof right))
            found(q, &p, r);
    }
    stralloc_free(&store);
}
