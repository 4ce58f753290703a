/* Any bytes as the parameters of MAIL and RCPT. What is taken must come out as records of an envelope that hold nothing but
 * what they may: no blank, no control character, UTF-8 only where it was allowed. */

#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "queue/envelope.h"
#include "smtpd/params.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
check_value(struct record const *r, unsigned int command)
{
    for (size_t i = 0; i < r->value.len; i++) {
        unsigned char c = (unsigned char)r->value.s[i];
        if (c <= 32 || c == 127 || (c >= 128 && !(command & PARAMS_UTF8)))
            abort();
    }
    if (!r->value.len || r->value.len > PARAMS_ORCPT_MAX || !utf8_valid(r->value.s, r->value.len))
        abort();
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct params p;
    struct record r;
    stralloc out = STRALLOC_ZERO;
    int got;

    if (!size)
        return 0;
    unsigned int command =
        (data[0] & 1 ? PARAMS_MAIL : PARAMS_RCPT) | (data[0] & 2 ? PARAMS_AUTH : 0) | (data[0] & 4 ? PARAMS_UTF8 : 0);
    char *copy = malloc(size); /* of its own size: a byte behind it is a finding */
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    char const *refusal = params_scan((struct bytes){copy, size - 1}, command, &p);
    if (refusal && (refusal[0] != '5' || strlen(refusal) < 10))
        abort();
    if (!refusal && !params_put(&out, &p))
        abort();
    struct bytes cursor = {out.s, out.len};
    while ((got = envelope_next(&cursor, &r)) == 1)
        check_value(&r, command);
    if (got)
        abort();
    free(copy);
    stralloc_free(&out);
    return 0;
}
