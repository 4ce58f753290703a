#include "local/quoting.h"

#include <string.h>

static char const from[] = "From ";
#define FROM_LEN (sizeof from - 1)

static int
put(buffer *b, char const *s, size_t len)
{
    return buffer_put(b, s, len) == (ssize_t)len;
}

/* Writes what was held back; it begins a line that is `quoted`. */
static int
release(struct quoting *q, buffer *b, int quoted)
{
    int good = 1;

    for (q->angles += (uint64_t)quoted; good && q->angles; q->angles--)
        good = put(b, ">", 1);
    good = good && put(b, from, q->matched);
    q->matched = 0;
    q->inside = 1;
    return good;
}

int
quoting_put(struct quoting *q, buffer *b, char const *s, size_t len)
{
    while (len) {
        if (q->inside) {
            char const *lf = memchr(s, '\n', len);
            size_t n = lf ? (size_t)(lf + 1 - s) : len;
            if (!put(b, s, n))
                return 0;
            q->inside = !lf;
            s += n, len -= n;
        } else if (*s == '>' && !q->matched) {
            q->angles++, s++, len--;
        } else if (*s == from[q->matched]) {
            s++, len--;
            if (++q->matched == FROM_LEN && !release(q, b, 1))
                return 0;
        } else if (!release(q, b, 0))
            return 0;
    }
    return 1;
}

int
quoting_end(struct quoting *q, buffer *b)
{
    if ((q->angles || q->matched) && !release(q, b, 0))
        return 0;
    return put(b, "\n\n", q->inside ? 2 : 1);
}
