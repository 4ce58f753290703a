#include "lib/tlspem.h"

#include <errno.h>
#include <string.h>

#include "lib/tlsfence.h"

/* ---- PEM ---- */

/* What is decoded now; len grows past `room` where it does not fit. */
struct object {
    unsigned char *s;
    size_t len, room;
};

static void
collect(void *to, void const *s, size_t len)
{
    struct object *o = to;

    if (o->len <= o->room && len <= o->room - o->len)
        memcpy(o->s + o->len, s, len);
    else
        o->s = NULL;
    if (o->s)
        o->len += len;
}

struct reader {
    struct bytes in;
    br_pem_decoder_context pem;
    unsigned char *room;
    size_t size;
    struct object object;
};

/* Finds the next object of those names; which are a list ended by NULL. Returns 1; 0 at the end; -1 with errno. */
static int
next_object(struct reader *r, char const *const *names, size_t *len)
{
    struct object *o = &r->object;
    int inside = 0;

    while (r->in.len) {
        size_t n = br_pem_decoder_push(&r->pem, r->in.s, r->in.len);
        r->in.s += n;
        r->in.len -= n;
        switch (br_pem_decoder_event(&r->pem)) {
        case BR_PEM_BEGIN_OBJ:
            *o = (struct object){r->room, 0, r->size};
            inside = 0;
            for (char const *const *name = names; *name; name++)
                inside |= !strcmp(*name, br_pem_decoder_name(&r->pem));
            br_pem_decoder_setdest(&r->pem, inside ? collect : NULL, o);
            break;
        case BR_PEM_END_OBJ:
            if (!inside)
                break;
            br_pem_decoder_setdest(&r->pem, NULL, NULL);
            *len = o->len;
            return o->s ? 1 : (errno = EFBIG, -1);
        case BR_PEM_ERROR:
            return (errno = EPROTO, -1);
        default:
            break;
        }
    }
    return inside ? (errno = EPROTO, -1) : 0;
}

/* ---- keys ---- */

int
tlspem_key(br_skey_decoder_context *key, struct bytes pem)
{
    static char const *const names[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", NULL};
    unsigned char der[TLSFENCE_KEY_MAX];
    struct reader r = {.in = pem, .room = der, .size = sizeof der};
    size_t len = 0;
    int got;

    if (pem.len > TLSPEM_KEY_MAX)
        return (errno = EFBIG, 0);
    br_pem_decoder_init(&r.pem);
    got = next_object(&r, names, &len);
    if (!got)
        errno = EPROTO;
    got = got == 1 && tlsfence_key(key, der, len);
    explicit_bzero(der, sizeof der);
    explicit_bzero(&r, sizeof r);
    return got;
}

/* ---- chains ---- */

static int
put_certificate(stralloc *chain, unsigned char const *der, size_t len)
{
    char size[3] = {(char)(len >> 16), (char)(len >> 8), (char)len};

    return stralloc_catb(chain, size, sizeof size) && stralloc_catb(chain, (char const *)der, len);
}

unsigned int
tlspem_chain(stralloc *chain, struct bytes pem)
{
    static char const *const names[] = {"CERTIFICATE", "X509 CERTIFICATE", NULL};
    stralloc der = STRALLOC_ZERO;
    struct reader r = {.in = pem};
    unsigned int count = 0;
    size_t len = 0;
    int got = 1;

    if (pem.len > TLSPEM_CHAIN_MAX)
        return (errno = EFBIG, 0);
    if (!stralloc_ready(&der, pem.len + 1))
        return 0;
    r.room = (unsigned char *)der.s;
    r.size = pem.len;
    br_pem_decoder_init(&r.pem);
    chain->len = 0;
    while (got == 1 && (got = next_object(&r, names, &len)) == 1) {
        if (!len || count == TLSPEM_CERTIFICATES) {
            errno = len ? EFBIG : EPROTO;
            got = -1;
        } else if (!put_certificate(chain, r.room, len))
            got = -1;
        count++;
    }
    int e = errno;
    stralloc_free(&der);
    errno = e;
    if (got == 0 && !count)
        errno = EPROTO;
    return got == 0 ? count : 0;
}

int
tlspem_take(struct bytes *chain, br_x509_certificate *c)
{
    unsigned char const *s = (unsigned char const *)chain->s;
    size_t len;

    if (chain->len < 3)
        return 0;
    len = (size_t)s[0] << 16 | (size_t)s[1] << 8 | s[2];
    if (!len || len > chain->len - 3)
        return 0;
    /* BearSSL takes no const here, and changes nothing. */
    memcpy(&c->data, &(unsigned char const *){s + 3}, sizeof c->data);
    c->data_len = len;
    chain->s += 3 + len;
    chain->len -= 3 + len;
    return 1;
}

/* ---- do they belong together? ---- */

static int
same_rsa(br_rsa_private_key const *key, br_rsa_public_key const *public)
{
    unsigned char n[BR_X509_BUFSIZE_KEY];
    br_rsa_compute_modulus modulus = br_rsa_compute_modulus_get_default();
    unsigned char const *their = public->n;
    size_t len, their_len = public->nlen;

    len = (key->n_bitlen + 7) / 8 <= sizeof n ? modulus(n, key) : 0;
    for (; their_len && !*their; their_len--)
        their++;
    return len && len == their_len && !memcmp(n, their, len);
}

static int
same_ec(br_ec_private_key const *key, br_ec_public_key const *public)
{
    unsigned char point[BR_EC_KBUF_PUB_MAX_SIZE];
    br_ec_public_key own;

    return key->curve == public->curve && br_ec_compute_pub(br_ec_get_default(), &own, point, key) &&
           own.qlen == public->qlen && !memcmp(own.q, public->q, own.qlen);
}

int
tlspem_matches(br_skey_decoder_context const *key, struct bytes chain)
{
    br_x509_decoder_context d;
    br_x509_certificate leaf;
    br_x509_pkey *public;

    if (!tlspem_take(&chain, &leaf))
        return 0;
    tlsfence_x509_init(&d, NULL, NULL);
    (void)tlsfence_x509_push(&d, leaf.data, leaf.data_len);
    public = br_x509_decoder_get_pkey(&d);
    if (!public || public->key_type != br_skey_decoder_key_type(key))
        return 0;
    return public->key_type == BR_KEYTYPE_RSA ? same_rsa(br_skey_decoder_get_rsa(key), &public->key.rsa)
                                              : same_ec(br_skey_decoder_get_ec(key), &public->key.ec);
}
