/* Any bytes as Base64 and as a message of each SASL mechanism: what comes out lies in what went in, and within its
 * bounds. */

#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/sasl.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
inside(struct bytes part, struct bytes whole, size_t largest)
{
    if (part.len > largest || (part.len && (part.s < whole.s || part.s + part.len > whole.s + whole.len)))
        abort();
}

/* What decodes must be the only text of its bytes. */
static void
base64(struct bytes text)
{
    char *out = malloc(BASE64_DECODED(text.len) + 1), *again = malloc(text.len + 1);
    ssize_t n = base64_decode(out, text.s, text.len);

    if (n != -1 && (base64_encode(again, out, (size_t)n) != text.len || memcmp(again, text.s, text.len) != 0))
        abort();
    free(out);
    free(again);
}

static void
scram(struct bytes message)
{
    struct sasl_first first;
    struct sasl_final final;
    char name[SASL_NAME_MAX];

    if (sasl_scram_first(message, &first)) {
        inside(first.gs2, message, message.len);
        inside(first.bare, message, message.len);
        inside(first.authzid, first.gs2, message.len);
        inside(first.login, first.bare, message.len);
        inside(first.nonce, first.bare, SASL_NONCE_MAX);
        if (sasl_scram_name(name, first.login) > SASL_NAME_MAX)
            abort();
    }
    if (sasl_scram_final(message, &final)) {
        inside(final.unproven, message, message.len);
        inside(final.binding, final.unproven, message.len);
        inside(final.nonce, final.unproven, 2 * SASL_NONCE_MAX);
    }
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct bytes message = {(char const *)data, size}, authzid, login, password;
    unsigned char digest[16];

    base64(message);
    (void)sasl_named(message.s, message.len);
    if (sasl_plain(message, &authzid, &login, &password)) {
        inside(authzid, message, SASL_NAME_MAX);
        inside(login, message, SASL_NAME_MAX);
        inside(password, message, SASL_PASSWORD_MAX);
    }
    if (sasl_cram(message, &login, digest))
        inside(login, message, SASL_NAME_MAX);
    scram(message);
    return 0;
}
