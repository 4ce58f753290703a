/* Any bytes as a server's replies, whole and cut in two: the same result, bounded, and never a byte too many. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/smtp.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static int
read_one(struct smtp_reply *r, struct bytes *in, size_t cut)
{
    struct bytes first = {in->s, in->len < cut ? in->len : cut};
    size_t before = first.len;
    int code = smtp_reply(r, &first);

    in->s += before - first.len;
    in->len -= before - first.len;
    return code ? code : smtp_reply(r, in);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static struct smtp_reply a, b;
    struct smtp_features f;
    char enhanced[SMTP_ENHANCED_MAX];
    size_t own, cut = size ? data[0] : 0;
    struct bytes x = {(char const *)data, size}, y = x;
    int code;

    smtp_reply_reset(&a);
    smtp_reply_reset(&b);
    do {
        code = smtp_reply(&a, &x);
        if (read_one(&b, &y, cut) != code ||
            (code != -1 && (x.len != y.len || a.len != b.len || memcmp(a.text, b.text, a.len))))
            abort();
        if (a.len > SMTP_TEXT_MAX || (code > 0 && (code < 200 || code > 599)))
            abort();
        smtp_features(a.text, a.len, &f);
        if (code > 0 && smtp_enhanced((unsigned int)code, a.text, a.len, enhanced, &own) > SMTP_ENHANCED_MAX)
            abort();
        if (code > 0 && own > a.len)
            abort();
    } while (code > 0);
    return 0;
}
