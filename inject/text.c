#include <string.h>

#include "inject/text.h"

/* 1 if the piece can stay as it is: nothing held back, no CR, no line that begins with a dot that counts. */
static int
is_plain(struct text const *t, char const *s, size_t len)
{
    if (t->nheld || memchr(s, '\r', len))
        return 0;
    return !t->dots || !((!t->inside && *s == '.') || memmem(s, len, "\n.", 2));
}

/* Takes one byte; out has room for those held back and itself. Returns the bytes written. */
static size_t
take(struct text *t, char c, char *out)
{
    int dot = t->nheld && *t->held == '.';
    size_t n = 0;

    if (c == '\n' && dot) {
        t->ended = 1;
        return t->nheld = 0;
    }
    if (c == '\n')
        t->nheld = 0;
    else if ((c == '\r' && (!t->nheld || (dot && t->nheld == 1))) || (c == '.' && t->dots && !t->inside && !t->nheld))
        return t->held[t->nheld++] = c, 0;
    for (; n < t->nheld; n++)
        out[n] = t->held[n];
    t->nheld = 0;
    t->inside = c != '\n';
    if (c == '\r') /* behind one that turned out to be a byte like others */
        t->held[t->nheld++] = c;
    else
        out[n++] = c;
    return n;
}

size_t
text_take(struct text *t, char *s, size_t len, char **out)
{
    size_t n = 0;

    *out = s;
    if (t->ended || !len)
        return 0;
    if (is_plain(t, s, len)) {
        t->inside = s[len - 1] != '\n';
        return len;
    }
    *out = s - TEXT_ROOM;
    for (size_t i = 0; i < len && !t->ended; i++)
        n += take(t, s[i], *out + n);
    return n;
}

size_t
text_finish(struct text *t, char *s)
{
    size_t n = t->nheld;

    if (t->ended || (n && *t->held == '.'))
        return 0;
    memcpy(s, t->held, n);
    if (n || t->inside)
        s[n++] = '\n';
    t->nheld = 0;
    t->inside = 0;
    return n;
}
