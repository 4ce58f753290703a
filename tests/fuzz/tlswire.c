/* Any bytes as requests to pneu-keyd, and as the record of pneu-tlsd's proxy: what is taken is as it must be. */

#include <stdlib.h>
#include <string.h>

#include "lib/tlssuite.h"
#include "tls/keywire.h"
#include "tls/record.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
requests(struct bytes in)
{
    struct keywire_request r;
    size_t before = in.len;

    while (keywire_take(&in, &r) == 1) {
        if (in.len >= before)
            abort();
        before = in.len;
        if (r.type == KEYWIRE_CHOOSE && *r.name && (strchr(r.name, '/') || *r.name == '.'))
            abort();
        if (r.type == KEYWIRE_SIGN && (r.len > KEYWIRE_SIGNED_MAX || !keywire_parameters(r.what, r.len)))
            abort();
    }
}

static void
record(unsigned char const *data, size_t size)
{
    unsigned char again[RECORD_MAX];
    stralloc environment = STRALLOC_ZERO;
    struct record r;

    if (!record_read(&r, data, size))
        return;
    if (record_write(again, &r) != size || memcmp(again, data, size) != 0)
        abort();
    if (!record_environment(&r, &environment) || environment.s[environment.len - 1] ||
        memchr(environment.s, '\n', environment.len))
        abort();
    stralloc_free(&environment);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    requests((struct bytes){(char const *)data, size});
    record(data, size);
    return 0;
}
