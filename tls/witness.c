#include "tls/witness.h"

#include "lib/tlsfence.h"

static struct witness *
self(br_x509_class const **vtable)
{
    return (struct witness *)(void *)vtable;
}

static void
start_chain(br_x509_class const **vtable, char const *name)
{
    struct witness *w = self(vtable);

    w->count = 0;
    w->certified = 0;
    br_sha256_init(&w->hash);
    tlsfence_x509_init(&w->decoder, NULL, NULL);
}

static void
start_cert(br_x509_class const **vtable, uint32_t length)
{
    self(vtable)->count++;
}

static void
append(br_x509_class const **vtable, unsigned char const *s, size_t len)
{
    struct witness *w = self(vtable);

    if (w->count != 1)
        return;
    br_sha256_update(&w->hash, s, len);
    (void)tlsfence_x509_push(&w->decoder, s, len);
}

static void
end_cert(br_x509_class const **vtable)
{
}

static unsigned int
end_chain(br_x509_class const **vtable)
{
    struct witness *w = self(vtable);
    int e = w->count ? br_x509_decoder_last_error(&w->decoder) : BR_ERR_X509_EMPTY_CHAIN;

    w->certified = !e;
    br_sha256_out(&w->hash, w->digest);
    return (unsigned int)e;
}

static br_x509_pkey const *
get_pkey(br_x509_class const *const *vtable, unsigned int *usages)
{
    struct witness const *w = (struct witness const *)(void const *)vtable;

    if (usages)
        *usages = BR_KEYTYPE_SIGN;
    /* BearSSL's function takes no const, and changes nothing. */
    return w->certified ? &w->decoder.pkey : NULL;
}

void
witness_init(struct witness *w)
{
    static br_x509_class const class = {
        .context_size = sizeof *w,
        .start_chain = start_chain,
        .start_cert = start_cert,
        .append = append,
        .end_cert = end_cert,
        .end_chain = end_chain,
        .get_pkey = get_pkey,
    };

    w->vtable = &class;
    w->count = 0;
    w->certified = 0;
}
