/* Any bytes as the header of a submitted message, in two pieces. What must hold: the result begins with whole fields, From, Date
 * and Message-ID among them, then an empty line; no Bcc is left; the body is what came behind the header. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smtpd/tidy.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
set_value(struct tidy *t, enum complete_name which, char const *value)
{
    if (!stralloc_copys(t->complete.value + which, value))
        abort();
    t->complete.known[which] = 1;
}

static void
check(struct tidy const *t)
{
    struct header h = HEADER_ZERO;
    unsigned char seen[HEADER_count] = {0};
    size_t used;

    if (header_feed(&h, t->out.s, t->out.len, &used) != 1 || !h.blank)
        abort();
    for (size_t i = 0; i < header_count(&h); i++)
        seen[header_field(&h, i)->name] = 1;
    if (!seen[HEADER_DATE] || !seen[HEADER_MESSAGE_ID] || !seen[HEADER_FROM] || seen[HEADER_BCC] ||
        seen[HEADER_RESENT_BCC] || seen[HEADER_RETURN_PATH] || seen[HEADER_MBOX])
        abort();
    for (size_t at = 0; at < t->froms.len; at += strlen(t->froms.s + at) + 1)
        if (!strchr(t->froms.s + at, '@'))
            abort();
    header_free(&h);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct tidy t = {.malformed = 0};
    struct bytes const from = {"joe@pneu.test", 13}, nobody = {"", 0};
    char const *s = (char const *)data;
    size_t used = 0, first, more = 0;
    int over;

    if (size < 2)
        return 0;
    set_value(&t, COMPLETE_HOST, "host");
    set_value(&t, COMPLETE_DOMAIN, "pneu.test");
    set_value(&t, COMPLETE_PLUS, "plus.test");
    set_value(&t, COMPLETE_ID, "id.test");
    int with_sender = data[0] & 1;
    s += 2;
    size -= 2;
    first = data[1] < size ? data[1] : size;
    tidy_begin(&t);
    over = tidy_feed(&t, s, first, &used);
    if (!over) {
        over = tidy_feed(&t, s + first, size - first, &more);
        used += more;
    }
    if (!over)
        over = tidy_finish(&t);
    if (over == 1 && used <= size && tidy_fields(&t)) {
        if (!tidy_write(&t, from, with_sender ? from : nobody, 1795296600))
            abort();
        check(&t);
    }
    if (used > size)
        abort();
    tidy_free(&t);
    return 0;
}
