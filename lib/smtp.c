#include "lib/smtp.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* ---- replies ---- */

enum state { CODE1, CODE2, CODE3, AFTER, TEXT, CR, BAD };

void
smtp_reply_reset(struct smtp_reply *r)
{
    r->code = r->state = r->first = r->lines = 0;
    r->len = r->bytes = 0;
}

static int
fail(struct smtp_reply *r, int e)
{
    r->state = BAD;
    r->code = (unsigned int)e;
    return (errno = e, -1);
}

static void
keep(struct smtp_reply *r, char c)
{
    if (r->len < SMTP_TEXT_MAX)
        r->text[r->len++] = c;
}

/* A digit of the code, the n-th from the left. Every line has to repeat the first one's. */
static int
digit(struct smtp_reply *r, char c)
{
    if (c < '0' || c > '9' || (r->state == CODE1 && (c < '2' || c > '5')))
        return 0;
    if (r->state == CODE1)
        r->code = 0;
    r->code = r->code * 10 + (unsigned int)(c - '0');
    if (r->state++ < CODE3)
        return 1;
    if (!r->lines)
        r->first = r->code;
    return r->first == r->code;
}

/* The end of a line. Returns the code after the last one, 0 after others. */
static int
line_end(struct smtp_reply *r, int more)
{
    r->state = CODE1;
    if (!more) {
        r->lines = 0;
        r->bytes = 0;
        return (int)r->code;
    }
    if (++r->lines == SMTP_REPLY_LINES)
        return fail(r, EMSGSIZE);
    return 0;
}

/* One byte. `first` holds the code, and above it whether another line follows. */
#define MORE 1024u

static int
step(struct smtp_reply *r, char c)
{
    switch (r->state) {
    case CODE1:
        if (!r->bytes)
            r->len = 0;
        /* fall through */
    case CODE2:
    case CODE3:
        return digit(r, c) ? 0 : fail(r, EPROTO);
    case AFTER:
        if (r->lines)
            keep(r, '\n');
        r->first = (r->first & (MORE - 1)) | (c == '-' ? MORE : 0);
        if (c == '\n')
            return line_end(r, 0);
        r->state = c == '\r' ? CR : TEXT;
        return c == ' ' || c == '-' || c == '\r' ? 0 : fail(r, EPROTO);
    case CR:
        if (c != '\n') /* a CR inside the text */
            keep(r, '\r');
        /* fall through */
    default:
        if (c == '\n') {
            int more = r->first & MORE;
            r->first &= MORE - 1;
            return line_end(r, more);
        }
        r->state = c == '\r' ? CR : TEXT;
        if (c != '\r')
            keep(r, c);
        return 0;
    }
}

int
smtp_reply(struct smtp_reply *r, struct bytes *in)
{
    if (r->state == BAD)
        return (errno = (int)r->code, -1);
    while (in->len) {
        int got = step(r, *in->s);
        if (!got && ++r->bytes > SMTP_REPLY_MAX)
            got = fail(r, EMSGSIZE);
        in->s++;
        in->len--;
        if (got)
            return got;
    }
    return 0;
}

/* ---- EHLO ---- */

static int
is_word(struct bytes word, char const *name)
{
    return word.len == strlen(name) && !strncasecmp(word.s, name, word.len);
}

/* The next word of a line, which ends at a blank. */
static int
next_word(struct bytes *line, struct bytes *word)
{
    while (line->len && (*line->s == ' ' || *line->s == '\t'))
        line->s++, line->len--;
    word->s = line->s;
    while (line->len && *line->s != ' ' && *line->s != '\t')
        line->s++, line->len--;
    word->len = (size_t)(line->s - word->s);
    return word->len != 0;
}

/* A decimal number of at most 19 digits. */
static int
number(struct bytes word, uint64_t *n)
{
    uint64_t value = 0;

    if (!word.len || word.len > 19)
        return 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.s[i] < '0' || word.s[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(word.s[i] - '0');
    }
    *n = value;
    return 1;
}

static void
limits(struct bytes line, struct smtp_features *f)
{
    struct bytes word;
    uint64_t n;

    while (next_word(&line, &word)) {
        if (word.len < 9)
            continue;
        struct bytes value = {word.s + 8, word.len - 8};
        if (!number(value, &n) || !n || n > UINT32_MAX)
            continue;
        if (!strncasecmp(word.s, "RCPTMAX=", 8))
            f->rcptmax = (uint32_t)n;
        else if (!strncasecmp(word.s, "MAILMAX=", 8))
            f->mailmax = (uint32_t)n;
    }
}

static void
keyword(struct bytes line, struct smtp_features *f)
{
    static struct {
        char const *name;
        unsigned int has;
    } const words[] = {
        {"PIPELINING", SMTP_PIPELINING}, {"SIZE", SMTP_SIZE},         {"8BITMIME", SMTP_8BITMIME},
        {"SMTPUTF8", SMTP_SMTPUTF8},     {"DSN", SMTP_DSN},           {"ENHANCEDSTATUSCODES", SMTP_ENHANCED},
        {"STARTTLS", SMTP_STARTTLS},     {"CHUNKING", SMTP_CHUNKING}, {"BINARYMIME", SMTP_BINARYMIME},
        {"REQUIRETLS", SMTP_REQUIRETLS}, {"AUTH", SMTP_AUTH},         {"LIMITS", SMTP_LIMITS},
    };
    struct bytes word;
    struct bytes value;

    if (!next_word(&line, &word))
        return;
    for (unsigned int i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(word, words[i].name)) {
            f->has |= words[i].has;
            if (words[i].has == SMTP_SIZE && next_word(&line, &value) && !number(value, &f->size))
                f->size = 0;
            if (words[i].has == SMTP_LIMITS)
                limits(line, f);
        }
}

void
smtp_features(char const *text, size_t len, struct smtp_features *f)
{
    memset(f, 0, sizeof *f);
    for (size_t at = 0, n = 0; at < len; at += n + 1) {
        char const *lf = memchr(text + at, '\n', len - at);
        n = lf ? (size_t)(lf - text) - at : len - at;
        if (at)
            keyword((struct bytes){text + at, n}, f);
    }
}

/* ---- enhanced status codes ---- */

/* One to three digits at s[*at], no leading zero. */
static int
part(char const *s, size_t len, size_t *at)
{
    size_t begin = *at;

    while (*at < len && *at - begin < 4 && s[*at] >= '0' && s[*at] <= '9')
        ++*at;
    return *at > begin && *at - begin < 4 && (s[begin] != '0' || *at - begin == 1);
}

size_t
smtp_enhanced(unsigned int code, char const *text, size_t len, char to[static SMTP_ENHANCED_MAX], size_t *own)
{
    char class = (char)('0' + code / 100);
    size_t at = 2;

    *own = 0;
    if (len > 2 && text[0] == class && text[1] == '.' && part(text, len, &at) && at < len && text[at] == '.') {
        at++;
        if (part(text, len, &at) && (at == len || text[at] == ' ' || text[at] == '\n')) {
            memcpy(to, text, at);
            *own = at + (at < len && text[at] == ' ');
            return at;
        }
    }
    static char const none[] = {'.', '0', '.', '0'};
    to[0] = class;
    memcpy(to + 1, none, sizeof none);
    return 1 + sizeof none;
}
