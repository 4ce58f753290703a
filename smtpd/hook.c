#include "smtpd/hook.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/header.h"
#include "queue/envelope.h"
#include "queue/layout.h"

#define LINE_MAX_HEADER 998 /* RFC 5322 section 2.1.1 */
#define TEXT_MAX 400        /* of a reply: its line stays below 512 bytes, RFC 5321 section 4.5.3.1.5 */

char const *const hook_phases[HOOK_PHASES] = {"connectcheck", "helocheck", "mailcheck", "rcptcheck", "datacheck"};
char const *const hook_verdicts[HOOK_VERDICTS] = {"go", "yes", "no", "later"};

/* ---- answers ---- */

static int
is_line(char const *s, size_t len)
{
    if (len > LINE_MAX_HEADER)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)s[i] < 32 && s[i] != '\t') || s[i] == 127)
            return 0;
    return 1;
}

/* A line of blanks would be a field's continuation here, and the end of the header to others. */
static int
is_continuation(char const *s, size_t len)
{
    return (*s == ' ' || *s == '\t') && strspn(s, " \t") < len;
}

int
hook_fields(char const *s, size_t len)
{
    enum header_name name;
    size_t body;

    for (size_t at = 0; at < len;) {
        char const *lf = memchr(s + at, '\n', len - at);
        size_t n = lf ? (size_t)(lf - s) - at : 0;
        if (!n || !is_line(s + at, n))
            return 0;
        if (!(at && is_continuation(s + at, n)) &&
            (header_scan(s + at, n + 1, &name, &body) != 1 || name == HEADER_MBOX))
            return 0;
        at += n + 1;
    }
    return len != 0;
}

/* Fields travel line by line: a record holds no newline. */
static int
put_headers(stralloc *to, stralloc const *headers)
{
    for (size_t at = 0; at < headers->len;) {
        char const *lf = memchr(headers->s + at, '\n', headers->len - at);
        size_t n = lf ? (size_t)(lf - headers->s) - at : headers->len - at;
        if (!envelope_put(to, "header", headers->s + at, n))
            return 0;
        at += n + 1;
    }
    return 1;
}

int
hook_answer_put(stralloc *to, struct hook_answer const *a)
{
    stralloc records = STRALLOC_ZERO;
    char const *verdict = hook_verdicts[a->verdict];
    int done = envelope_put(&records, "verdict", verdict, strlen(verdict)) &&
               envelope_put(&records, "text", a->text.s, a->text.len) && put_headers(&records, &a->headers) &&
               netstring_put(to, records.s, records.len);

    stralloc_free(&records);
    return done;
}

static int
scan_verdict(struct bytes word, enum hook_verdict *verdict)
{
    for (unsigned int i = 0; i < HOOK_VERDICTS; i++)
        if (strlen(hook_verdicts[i]) == word.len && !memcmp(hook_verdicts[i], word.s, word.len)) {
            *verdict = i;
            return 1;
        }
    return 0;
}

int
hook_answer_scan(struct bytes in, struct hook_answer *a)
{
    struct record r;
    int got, judged = 0, good = 1;

    a->text.len = a->headers.len = 0;
    while ((got = envelope_next(&in, &r)) == 1) {
        if (record_is(&r, "verdict"))
            judged = scan_verdict(r.value, &a->verdict);
        else if (record_is(&r, "text"))
            good = stralloc_copyb(&a->text, r.value.s, r.value.len);
        else if (record_is(&r, "header"))
            good = stralloc_catb(&a->headers, r.value.s, r.value.len) && stralloc_append(&a->headers, '\n');
        if (!good)
            return 0;
    }
    if (got || !judged || (a->headers.len && !hook_fields(a->headers.s, a->headers.len)))
        return (errno = EPROTO, 0);
    return 1;
}

void
hook_answer_free(struct hook_answer *a)
{
    stralloc_free(&a->text);
    stralloc_free(&a->headers);
}

/* ---- the reply ---- */

static size_t
digits(struct bytes s, size_t at)
{
    size_t n = 0;

    while (at + n < s.len && s.s[at + n] >= '0' && s.s[at + n] <= '9')
        n++;
    return n;
}

/* Takes a word of len bytes, and the blanks behind it, off the text, if it ends there. */
static int
take_word(struct bytes *text, size_t len)
{
    if (len < text->len && text->s[len] != ' ')
        return 0;
    while (len < text->len && text->s[len] == ' ')
        len++;
    text->s += len;
    text->len -= len;
    return 1;
}

/* "550 " */
static int
take_code(struct bytes *text, char code[static 3])
{
    if (text->len < 3 || (*text->s != '4' && *text->s != '5') || text->s[1] > '5' || digits(*text, 0) != 3)
        return 0;
    memcpy(code, text->s, 3);
    return take_word(text, 3);
}

/* "5.7.1 ", of that class, any class for 0 */
static int
take_enhanced(struct bytes *text, char class, struct bytes *enhanced)
{
    size_t one = digits(*text, 2);
    size_t two = one ? digits(*text, one + 3) : 0;

    if (!one || one > 3 || !two || two > 3 || (*text->s != '4' && *text->s != '5') || text->s[1] != '.' ||
        text->s[2 + one] != '.' || (class && *text->s != class))
        return 0;
    *enhanced = (struct bytes){text->s, one + two + 3};
    return take_word(text, enhanced->len);
}

int
hook_reply(stralloc *to, struct hook_answer const *a)
{
    int never = a->verdict == HOOK_NO;
    struct bytes text = {a->text.s, a->text.len}, enhanced;
    char code[4] = "";

    while (text.len && *text.s == ' ') {
        text.s++;
        text.len--;
    }
    int coded = take_code(&text, code);
    if (!take_enhanced(&text, coded ? *code : 0, &enhanced)) {
        int five = coded ? *code == '5' : never;
        enhanced = (struct bytes){five ? "5.7.1" : "4.7.1", 5};
    }
    if (!coded)
        strcpy(code, *enhanced.s == '5' ? "550" : "451");
    if (!text.len)
        text = *code == '5' ? (struct bytes){"refused by the policy of this server", 36}
                            : (struct bytes){"not now, try again later", 24};
    size_t start = to->len;
    if (!stralloc_catb(to, code, 3) || !stralloc_append(to, ' ') || !stralloc_catb(to, enhanced.s, enhanced.len) ||
        !stralloc_append(to, ' ') || !stralloc_catb(to, text.s, text.len < TEXT_MAX ? text.len : TEXT_MAX))
        return 0;
    for (size_t i = start; i < to->len; i++)
        if (to->s[i] < 32 || to->s[i] > 126)
            to->s[i] = '?';
    return 1;
}

/* ---- the client ---- */

void
hook_init(struct hook *h, uint32_t timeout)
{
    *h = (struct hook){.fd = -1, .timeout = timeout, .out = STRALLOC_ZERO};
}

void
hook_close(struct hook *h)
{
    int e = errno;

    if (h->fd != -1)
        close(h->fd);
    h->fd = -1;
    h->out.len = 0;
    errno = e;
}

/* The socket keeps the time: the other end is pneu's own, and does not trickle. */
static int
open_connection(struct hook *h)
{
    static struct sockaddr_un const name = {.sun_family = AF_UNIX, .sun_path = RUN_HOOK};
    struct timeval limit = {.tv_sec = h->timeout};

    h->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (h->fd == -1)
        return 0;
    if (setsockopt(h->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
        connect(h->fd, (struct sockaddr const *)&name, sizeof name) == 0)
        return 1;
    hook_close(h);
    return 0;
}

static int
failed(struct hook *h)
{
    if (errno == EAGAIN)
        errno = ETIMEDOUT;
    hook_close(h);
    return 0;
}

static int
flush(struct hook *h)
{
    for (size_t sent = 0; sent < h->out.len;) {
        ssize_t n = send(h->fd, h->out.s + sent, h->out.len - sent, MSG_NOSIGNAL);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return 0;
        sent += (size_t)n;
    }
    h->out.len = 0;
    return 1;
}

static int
receive(struct hook *h, struct hook_answer *answer)
{
    stralloc in = STRALLOC_ZERO;
    struct bytes left, frame;
    int got = 0;

    while (!got) {
        ssize_t n = stralloc_readyplus(&in, 1024) ? recv(h->fd, in.s + in.len, 1024, 0) : -1;
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : EPIPE;
            break;
        }
        in.len += (size_t)n;
        left = (struct bytes){in.s, in.len};
        got = netstring_take(&left, HOOK_ANSWER_MAX, &frame);
    }
    if (got == 1 && left.len) { /* an answer nobody asked for: we are out of step */
        errno = EPROTO;
        got = -1;
    }
    int done = got == 1 && hook_answer_scan(frame, answer);
    int e = errno;
    stralloc_free(&in);
    return (errno = e, done);
}

/* A connection that waited for its next question may have been closed meanwhile: then a new one is tried, once. */
static int
with_connection(struct hook *h, struct bytes question, int (*what)(struct hook *, struct hook_answer *),
                struct hook_answer *answer)
{
    for (;;) {
        int kept = h->fd != -1;
        if (!kept && !open_connection(h))
            return 0;
        h->out.len = 0;
        if (netstring_put(&h->out, question.s, question.len) && what(h, answer))
            return 1;
        failed(h);
        if (!kept || (errno != EPIPE && errno != ECONNRESET))
            return 0;
    }
}

static int
ask(struct hook *h, struct hook_answer *answer)
{
    return flush(h) && receive(h, answer);
}

int
hook_ask(struct hook *h, struct bytes question, struct hook_answer *answer)
{
    return with_connection(h, question, ask, answer);
}

static int
only_flush(struct hook *h, struct hook_answer *answer)
{
    (void)answer;
    return flush(h);
}

int
hook_begin(struct hook *h, struct bytes question)
{
    /* Whether a kept connection is still there, a write does not always tell. */
    hook_close(h);
    return with_connection(h, question, only_flush, NULL);
}

int
hook_data(struct hook *h, char const *s, size_t len)
{
    if (h->fd == -1)
        return (errno = ENOTCONN, 0);
    while (len) {
        size_t n = len < HOOK_CHUNK_MAX ? len : HOOK_CHUNK_MAX;
        if (!netstring_put(&h->out, s, n) || (h->out.len >= HOOK_CHUNK_MAX && !flush(h)))
            return failed(h);
        s += n;
        len -= n;
    }
    return 1;
}

int
hook_end(struct hook *h, struct hook_answer *answer)
{
    if (h->fd == -1)
        return (errno = ENOTCONN, 0);
    return netstring_put(&h->out, "", 0) && flush(h) && receive(h, answer) ? 1 : failed(h);
}
