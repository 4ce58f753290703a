/* smtpd/data.c: what comes out does not depend on how it came in, and is what a plain reading of the RFC gives. */

#include <stdlib.h>
#include <string.h>

#include "smtpd/data.h"
#include "tests/tap.h"

#define MAX 4096

struct result {
    int ended;
    unsigned int wrong, hops;
    size_t used, len;
    char bytes[MAX];
};

/* The definition, slowly: find CR LF . CR LF, look for what stands alone, take the dots off. */
static struct result
plain(char const *s, size_t len)
{
    struct result r = {0};
    size_t end = len; /* of the lines */

    if (len >= 3 && !memcmp(s, ".\r\n", 3))
        end = 0;
    for (size_t i = 0; end == len && i + 5 <= len; i++)
        if (!memcmp(s + i, "\r\n.\r\n", 5))
            end = i + 2;
    r.ended = end < len;
    r.used = r.ended ? end + 3 : len;
    for (size_t i = 0; i < end; i++) {
        int crlf = s[i] == '\r' && i + 1 < end && s[i + 1] == '\n';
        if ((s[i] == '\r' && !crlf && i + 1 < end) || (s[i] == '\n' && (!i || s[i - 1] != '\r')))
            r.wrong = DATA_BARE;
        if (s[i] == '.' && (!i || (i > 1 && s[i - 1] == '\n' && s[i - 2] == '\r')))
            continue;
        if (!crlf && (s[i] != '\r' || i + 1 < end))
            r.bytes[r.len++] = s[i];
    }
    if (r.wrong)
        r.len = 0;
    return r;
}

/* The program's way, in pieces of at most `piece` bytes. */
static struct result
ours(char const *s, size_t len, size_t piece)
{
    struct result r = {0};
    struct data d;
    char buf[MAX];

    data_init(&d, 0, 0, 1000);
    while (r.used < len && d.state != DATA_END) {
        size_t out, n = len - r.used < piece ? len - r.used : piece;
        memcpy(buf, s + r.used, n);
        r.used += data_decode(&d, buf, n, &out);
        memcpy(r.bytes + r.len, buf, out);
        r.len += out;
    }
    r.ended = d.state == DATA_END;
    r.wrong = d.wrong;
    r.hops = d.hops;
    if (r.wrong)
        r.len = 0;
    return r;
}

static int
same(struct result const *a, struct result const *b)
{
    return a->ended == b->ended && a->wrong == b->wrong && a->used == b->used && a->len == b->len &&
           !memcmp(a->bytes, b->bytes, a->len);
}

/* Random texts of few letters, so that every sequence of CR, LF and dot comes up. */
static int
random_texts(char const *letters, size_t count)
{
    char s[64];

    for (int i = 0; i < 300000; i++) {
        size_t len = (size_t)(random() % (long)sizeof s);
        for (size_t j = 0; j < len; j++)
            s[j] = letters[(size_t)random() % count];
        struct result a = plain(s, len), b = ours(s, len, (size_t)(1 + random() % 9)), c = ours(s, len, MAX);
        if (!same(&a, &b) || !same(&a, &c))
            return 0;
    }
    return 1;
}

/* Whole lines, mostly good ones. */
static int
random_lines(void)
{
    static char const *const parts[] = {"\r\n", "\r\n", "\r\n", "x",         "text and more", ".",
                                        "..",   "\r",   "\n",   "\r\n.\r\n", "\r\n.."};
    char s[512];

    for (int i = 0; i < 300000; i++) {
        size_t len = 0;
        for (long n = random() % 12; n; n--) {
            char const *part = parts[(size_t)random() % (i % 2 ? 11 : 7)];
            memcpy(s + len, part, strlen(part));
            len += strlen(part);
        }
        struct result a = plain(s, len), b = ours(s, len, (size_t)(1 + random() % 40)), c = ours(s, len, MAX);
        if (!same(&a, &b) || !same(&a, &c))
            return 0;
    }
    return 1;
}

static struct {
    char const *text;
    uint64_t bytes;
    unsigned int hops;
} const counts[] = {
    {".\r\n", 0, 0},
    {"a\r\n.\r\n", 3, 0},
    {"..\r\n.\r\n", 3, 0},
    {"Received: x\r\n.\r\n", 13, 1},
    {"received:\r\nRECEIVED:\r\n\r\nReceived: y\r\n.\r\n", 37, 2},
    {" Received: x\r\nXReceived: y\r\nReceive: z\r\nReceived : w\r\n.\r\n", 54, 0},
    {".Received: x\r\n.\r\n", 13, 1},
    {"\r\nReceived: x\r\n.\r\n", 15, 0},
};

static void
test_counts(void)
{
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t piece = 1; piece < 20; piece += 6) {
            struct data d;
            char buf[200];
            size_t len = strlen(counts[i].text), out;
            data_init(&d, 0, 0, 1000);
            for (size_t at = 0; at < len;) {
                size_t n = len - at < piece ? len - at : piece;
                memcpy(buf, counts[i].text + at, n);
                at += data_decode(&d, buf, n, &out);
            }
            ok(d.state == DATA_END && d.bytes == counts[i].bytes && d.hops == counts[i].hops && !d.wrong,
               "row %zu in pieces of %zu: %u bytes, %u hops", i, piece, (unsigned int)d.bytes, d.hops);
        }
}

/* ---- chunks: every text of six bytes out of four, cut at every place ---- */

static int
chunk_is_right(char const *s, size_t len, size_t cut)
{
    char buf[8], want[8];
    struct data d;
    size_t n = 0;
    int bare = 0;

    for (size_t i = 0; i < len; i++) {
        bare |= s[i] == '\r' && (i + 1 == len || s[i + 1] != '\n');
        bare |= s[i] == '\n' && (!i || s[i - 1] != '\r');
        if (s[i] != '\r')
            want[n++] = s[i];
    }
    memcpy(buf, s, len);
    data_init(&d, 0, 0, 1000);
    size_t first = data_chunk(&d, buf, cut);
    size_t second = data_chunk(&d, buf + cut, len - cut);
    data_chunk_last(&d);
    memmove(buf + first, buf + cut, second);
    if (bare)
        return d.wrong == DATA_BARE;
    return !d.wrong && first + second == n && !memcmp(buf, want, n) && d.bytes == len;
}

static void
test_chunks(void)
{
    static char const letters[] = "a\r\n.";
    unsigned int wrong = 0;

    for (unsigned int number = 0; number < 4096; number++) {
        char s[6];
        for (unsigned int i = 0; i < 6; i++)
            s[i] = letters[number >> (2 * i) & 3];
        for (size_t len = 0; len <= 6; len++)
            for (size_t cut = 0; cut <= len; cut++)
                wrong += !chunk_is_right(s, len, cut);
    }
    ok(!wrong, "chunks, however they are cut");
}

int
main(void)
{
    test_chunks();
    ok(random_texts("\r\n.a", 4), "300,000 texts of CR, LF, dot and a letter");
    ok(random_texts("\r\n.", 3), "300,000 texts of CR, LF and dot");
    ok(random_texts("\r\n.a\r\n.a\r\n\0", 11), "300,000 texts with NUL");
    ok(random_lines(), "300,000 texts of lines");
    test_counts();
    return tap_done();
}
