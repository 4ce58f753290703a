#include "lib/tlsfence.h"

#include <errno.h>

#define RSA_BYTES 512 /* of a modulus of 4096 bits */
#define EC_MAX 300    /* bytes of DER; with P-521 and its public point there are 241 */

void
tlsfence_x509_init(br_x509_decoder_context *d, void (*dn)(void *ctx, void const *s, size_t len), void *ctx)
{
    br_x509_decoder_init(d, dn, ctx);
}

int
tlsfence_x509_push(br_x509_decoder_context *d, void const *s, size_t len)
{
    if (br_x509_decoder_last_error(d) != BR_ERR_X509_TRUNCATED)
        return 0;
    br_x509_decoder_push(d, s, len);
    return 1;
}

/* ---- private keys, measured ---- */

struct der {
    unsigned char const *s;
    size_t len;
};

enum { DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_SEQUENCE = 0x30 };

/* Takes one element with that tag off the front. */
static int
der_take(struct der *in, unsigned int tag, struct der *value)
{
    size_t at = 2, len;

    if (in->len < 2 || in->s[0] != tag)
        return 0;
    len = in->s[1];
    if (len >= 0x80) {
        size_t digits = len & 0x7f;
        if (!digits || digits > 2 || in->len < 2 + digits)
            return 0;
        for (len = 0; digits; digits--)
            len = len << 8 | in->s[at++];
    }
    if (len > in->len - at)
        return 0;
    *value = (struct der){in->s + at, len};
    in->s += at + len;
    in->len -= at + len;
    return 1;
}

static int
integer_fits(struct der *in, size_t most)
{
    struct der value;

    if (!der_take(in, DER_INTEGER, &value))
        return 0;
    while (value.len && !*value.s) {
        value.s++;
        value.len--;
    }
    return value.len <= most;
}

/* n, e, d, p, q, dp, dq, iq: the decoder keeps the last five, and has room for those of 4096 bits. */
static int
rsa_fits(struct der numbers)
{
    static size_t const most[] = {RSA_BYTES,     RSA_BYTES,     RSA_BYTES,     RSA_BYTES / 2,
                                  RSA_BYTES / 2, RSA_BYTES / 2, RSA_BYTES / 2, RSA_BYTES / 2};

    for (size_t i = 0; i < sizeof most / sizeof *most; i++)
        if (!integer_fits(&numbers, most[i]))
            return 0;
    return 1;
}

/* Whatever it is: is it as large as a key may be that the decoder keeps? */
static int
key_fits(struct der key)
{
    struct der outer, inner, skipped;

    if (key.len <= EC_MAX)
        return 1;
    if (key.len > TLSFENCE_KEY_MAX || !der_take(&key, DER_SEQUENCE, &outer) || !der_take(&outer, DER_INTEGER, &skipped))
        return 0;
    if (!outer.len || outer.s[0] != DER_SEQUENCE)
        return rsa_fits(outer);
    return der_take(&outer, DER_SEQUENCE, &skipped) && der_take(&outer, DER_OCTETS, &key) &&
           der_take(&key, DER_SEQUENCE, &inner) && der_take(&inner, DER_INTEGER, &skipped) && rsa_fits(inner);
}

int
tlsfence_key(br_skey_decoder_context *d, unsigned char const *der, size_t len)
{
    if (!key_fits((struct der){der, len}))
        return (errno = EFBIG, 0);
    br_skey_decoder_init(d);
    br_skey_decoder_push(d, der, len);
    return br_skey_decoder_last_error(d) == 0 ? 1 : (errno = EPROTO, 0);
}
