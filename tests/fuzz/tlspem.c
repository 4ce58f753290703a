/* Any bytes as a file with a key, and as one with certificates; the two together. */

#include <stdlib.h>

#include "lib/tlspem.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct bytes file = {(char const *)data, size};
    br_skey_decoder_context key;
    stralloc chain = STRALLOC_ZERO;
    int has_key = tlspem_key(&key, file);
    unsigned int count = tlspem_chain(&chain, file), taken = 0;
    struct bytes left = {chain.s, chain.len};
    br_x509_certificate c;

    if (count > TLSPEM_CERTIFICATES)
        abort();
    if (count) {
        while (tlspem_take(&left, &c))
            taken++;
        if (taken != count || left.len)
            abort();
        if (has_key)
            (void)tlspem_matches(&key, (struct bytes){chain.s, chain.len});
    }
    stralloc_free(&chain);
    return 0;
}
