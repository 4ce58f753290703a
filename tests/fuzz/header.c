/* Any bytes as a header, in pieces of any size, and each field as a list of addresses. What was written anew must be a list
 * of the same addresses, with nothing left to write anew. */

#include <stdlib.h>
#include <string.h>

#include "lib/addresslist.h"
#include "lib/header.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static int
complete(void *data, struct addresslist_entry *a)
{
    stralloc *found = data;

    if (a->local.len && !memchr(a->domain.s ? a->domain.s : "", '.', a->domain.len) &&
        (!a->domain.len || *a->domain.s != '[')) {
        if (!stralloc_cats(&a->domain, a->domain.len ? ".x" : "here.x"))
            return 0;
        a->changed = 1;
    }
    return stralloc_cat(found, &a->local) && stralloc_append(found, '@') && stralloc_cat(found, &a->domain) &&
           stralloc_append(found, 0);
}

static int
same_bytes(stralloc const *a, stralloc const *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

static void
lists(char const *s, size_t len)
{
    static stralloc out, again, found, same;
    char const *why;

    found.len = same.len = 0;
    if (!addresslist_walk(s, len, &out, complete, &found, &why))
        return;
    if (!addresslist_walk(out.s, out.len, &again, complete, &same, &why))
        abort();
    if (!same_bytes(&out, &again) || !same_bytes(&found, &same))
        abort();
}

static int
feed(struct header *h, char const *s, size_t len, size_t piece, size_t *taken)
{
    size_t used;
    int r = 0;

    *taken = 0;
    while (*taken < len && !r) {
        r = header_feed(h, s + *taken, len - *taken < piece ? len - *taken : piece, &used);
        *taken += used;
    }
    return r ? r : header_finish(h);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct header whole = HEADER_ZERO, pieces = HEADER_ZERO;
    char const *s = (char const *)data + 1;
    size_t a, b;

    if (!size)
        return 0;
    lists(s, size - 1);
    if (feed(&whole, s, size - 1, size, &a) != 1 || feed(&pieces, s, size - 1, data[0] ? data[0] : 1, &b) != 1)
        return 0;
    if (header_count(&whole) != header_count(&pieces) || whole.end != pieces.end || whole.blank != pieces.blank ||
        (whole.end && memcmp(whole.text.s, pieces.text.s, whole.end)))
        abort();
    for (size_t i = 0; i < header_count(&whole); i++) {
        struct header_field const *f = header_field(&whole, i);
        if (f->start > f->body || f->body > f->end || f->end > whole.end || whole.text.s[f->end - 1] != '\n')
            abort();
        lists(whole.text.s + f->body, f->end - f->body);
    }
    header_free(&whole);
    header_free(&pieces);
    return 0;
}
