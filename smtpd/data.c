/* Whole lines are found with memchr and moved down together; the states are for what lies across two reads.
 *
 *              CR           LF          '.'         other
 *   START      CR           bare        DOT         LINE
 *   LINE       CR           bare        LINE        LINE
 *   CR         bare, CR     START       bare, LINE  bare, LINE
 *   DOT        DOT_CR       bare        LINE        LINE
 *   DOT_CR     bare, CR     END         bare, LINE  bare, LINE
 *
 * After a bare LF a line goes on: what other servers would call its end must not be one here. */

#include "smtpd/data.h"

#include <string.h>

void
data_init(struct data *d, uint64_t databytes, uint64_t maxline, unsigned int maxhops)
{
    *d = (struct data){
        .state = DATA_START,
        .in_header = 1,
        .databytes = databytes,
        .maxline = maxline,
        .maxhops = maxhops,
    };
}

/* Counts bytes of one line, without its end. */
static void
count(struct data *d, char const *s, size_t len)
{
    static char const name[] = "received:";

    if (d->in_header && d->column == d->matched) {
        size_t i = 0;
        while (d->matched < sizeof name - 1 && i < len &&
               ((unsigned char)s[i] | 0x20) == (unsigned char)name[d->matched]) {
            d->matched++;
            i++;
        }
        if (d->matched == sizeof name - 1 && i && ++d->hops > d->maxhops)
            d->wrong |= DATA_HOPS;
    }
    d->column += len;
    d->bytes += len;
    if (d->maxline && d->column > d->maxline)
        d->wrong |= DATA_LONG;
}

static void
line_end(struct data *d)
{
    if (!d->column)
        d->in_header = 0;
    d->column = d->matched = 0;
    d->bytes += 2;
    d->state = DATA_START;
}

/* Up to the end of the line, or of what is there. Returns the bytes read; those of the line go to `to`. */
static size_t
line(struct data *d, char const *s, size_t len, char **to)
{
    char const *lf = memchr(s, '\n', len);
    size_t n = lf ? (size_t)(lf - s) : len;
    char const *cr = memchr(s, '\r', n);
    size_t text = cr ? (size_t)(cr - s) : n;

    count(d, s, text);
    memmove(*to, s, text);
    *to += text;
    d->state = DATA_LINE;
    if (cr && cr + 1 == lf) {
        line_end(d);
        *(*to)++ = '\n';
        return n + 1;
    }
    if (cr) {
        d->state = DATA_CR;
        return text + 1;
    }
    if (!lf)
        return n;
    d->wrong |= DATA_BARE;
    return n + 1;
}

/* One byte that is not inside a line. Returns 1 if it was used up, 0 if it is the line's. */
static int
between(struct data *d, char c, char **to)
{
    switch (d->state) {
    case DATA_START:
        d->state = c == '.' ? DATA_DOT : DATA_LINE;
        return c == '.';
    case DATA_DOT:
        d->state = c == '\r' ? DATA_DOT_CR : DATA_LINE;
        return c == '\r';
    case DATA_CR:
        if (c == '\n') {
            line_end(d);
            *(*to)++ = '\n';
            return 1;
        }
        break;
    default:
        if (c == '\n') {
            d->state = DATA_END;
            return 1;
        }
    }
    d->wrong |= DATA_BARE;
    d->column++;
    if (c != '\r')
        d->state = DATA_LINE;
    else
        d->state = DATA_CR;
    return c == '\r';
}

size_t
data_decode(struct data *d, char *s, size_t len, size_t *out)
{
    char *to = s;
    size_t at = 0;

    while (at < len && d->state != DATA_END) {
        if (d->state == DATA_START && s[at] != '.')
            d->state = DATA_LINE;
        if (d->state == DATA_LINE)
            at += line(d, s + at, len - at, &to);
        else
            at += (size_t)between(d, s[at], &to);
    }
    if (d->databytes && d->bytes > d->databytes)
        d->wrong |= DATA_SIZE;
    *out = d->wrong ? 0 : (size_t)(to - s);
    return at;
}

size_t
data_chunk(struct data *d, char *s, size_t len)
{
    char *to = s;
    size_t at = 0;

    while (at < len)
        if (d->state == DATA_CR)
            at += (size_t)between(d, s[at], &to);
        else
            at += line(d, s + at, len - at, &to);
    if (d->databytes && d->bytes > d->databytes)
        d->wrong |= DATA_SIZE;
    return d->wrong ? 0 : (size_t)(to - s);
}

void
data_chunk_last(struct data *d)
{
    if (d->state == DATA_CR)
        d->wrong |= DATA_BARE;
    d->state = DATA_END;
}
