/* Any bytes as the chunks of a message: 0xf5 ends a piece. Whatever the pieces are, what comes out is what the whole gives,
 * has no CR, and is nothing if a CR or LF stands alone. */

#include <stdlib.h>
#include <string.h>

#include "smtpd/data.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

struct result {
    unsigned int wrong;
    size_t len;
    char *bytes;
};

/* The definition, slowly. */
static struct result
plain(char const *s, size_t len)
{
    struct result r = {.bytes = malloc(len + 1)};

    for (size_t i = 0; i < len; i++) {
        int cr = s[i] == '\r', lf = s[i] == '\n';
        if ((cr && (i + 1 == len || s[i + 1] != '\n')) || (lf && (!i || s[i - 1] != '\r')))
            r.wrong = DATA_BARE;
        if (!cr)
            r.bytes[r.len++] = s[i];
    }
    return r;
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    char *whole = malloc(size + 1), *pieces = malloc(size + 1), *out = malloc(size + 1);
    size_t len = 0, at = 0, begin = 0, made = 0;
    struct data d;

    if (!whole || !pieces || !out)
        abort();
    data_init(&d, 0, 0, 1000);
    for (size_t i = 0; i <= size; i++) {
        if (i < size && data[i] != 0xf5) {
            whole[len] = pieces[len] = (char)data[i];
            len++;
            continue;
        }
        at = len - begin;
        size_t n = data_chunk(&d, pieces + begin, at);
        if (n > at)
            abort();
        memcpy(out + made, pieces + begin, n);
        made += n;
        begin = len;
    }
    data_chunk_last(&d);
    struct result want = plain(whole, len);
    if (d.state != DATA_END || d.wrong != want.wrong ||
        (!d.wrong && (made != want.len || memcmp(out, want.bytes, made) != 0)))
        abort();
    free(want.bytes);
    free(whole);
    free(pieces);
    free(out);
    return 0;
}
