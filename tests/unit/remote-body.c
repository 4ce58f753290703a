/* The message on the wire: a table, then random messages in random pieces against the rules. */

#include <stdlib.h>
#include <string.h>

#include "remote/body.h"
#include "tests/tap.h"

static char out[BODY_ROOM(70000) + BODY_END];

static size_t
encode(char const *s, size_t len, size_t piece)
{
    struct body b = {0};
    size_t n = 0;

    for (size_t at = 0; at < len; at += piece)
        n += body_encode(&b, s + at, len - at < piece ? len - at : piece, out + n);
    return n + body_end(&b, out + n);
}

static void
test_table(void)
{
    static struct {
        char const *in, *want;
    } const table[] = {
        {"", ".\r\n"},
        {"\n", "\r\n.\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\n", "a\r\n.\r\n"},
        {"a\nb", "a\r\nb\r\n.\r\n"},
        {".", "..\r\n.\r\n"},
        {".\n", "..\r\n.\r\n"},
        {"..\n", "...\r\n.\r\n"},
        {"a.\n.b\n", "a.\r\n..b\r\n.\r\n"},
        {"\n.\n", "\r\n..\r\n.\r\n"},
        {"a\r\n", "a\r\n.\r\n"},
        {"a\r", "a\r\n.\r\n"},
        {"\r", "\r\n.\r\n"},
        {"\r\n", "\r\n.\r\n"},
        {"a\rb\n", "a b\r\n.\r\n"},
        {"\rb\n", " b\r\n.\r\n"},
        {"a\r\r\n", "a \r\n.\r\n"},
        {"\r\r\r\n", "  \r\n.\r\n"},
        {"a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"},
        {"a\n.\r\nMAIL\n", "a\r\n..\r\nMAIL\r\n.\r\n"},
        {"a\r.\r\nMAIL\n", "a .\r\nMAIL\r\n.\r\n"},
        {"a\r.\rMAIL\n", "a . MAIL\r\n.\r\n"},
        {"a\n\r.\n", "a\r\n .\r\n.\r\n"},
        {"a\r\n\r.\r\n", "a\r\n .\r\n.\r\n"},
        {".\r", "..\r\n.\r\n"},
        {"\r.", " .\r\n.\r\n"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t piece = 1; piece < 5; piece++) {
            size_t n = encode(table[i].in, strlen(table[i].in), piece);
            ok(n == strlen(table[i].want) && !memcmp(out, table[i].want, n), "message %zu in pieces of %zu", i, piece);
        }
}

/* What a strict receiver makes of it: LF for CR LF, doubled dots single. Returns the length, or -1 if a bare CR or LF
 * is in it, or it does not end exactly at its end. */
static ssize_t
receive(char const *s, size_t len, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        int dot = s[i] == '.';
        if (dot && len - i >= 3 && s[i + 1] == '\r' && s[i + 2] == '\n')
            return i + 3 == len ? (ssize_t)n : -1;
        for (i += (size_t)dot; i < len && s[i] != '\r' && s[i] != '\n'; i++)
            to[n++] = s[i];
        if (len - i < 2 || s[i] != '\r' || s[i + 1] != '\n')
            return -1;
        to[n++] = '\n';
        i += 2;
    }
    return -1;
}

/* What we promise it becomes. */
static size_t
expected(char const *s, size_t len, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\r' && (i + 1 == len || s[i + 1] == '\n')) {
            if (i + 1 == len && (!n || to[n - 1] != '\n' || 1))
                to[n++] = '\n';
            continue;
        }
        to[n++] = s[i] == '\r' ? ' ' : s[i];
    }
    if (n && to[n - 1] != '\n')
        to[n++] = '\n';
    return n;
}

static void
test_random(void)
{
    static char in[300], got[1000], want[1000];
    static char const bytes[] = "\r\n..ab \0";
    unsigned int bad = 0;

    srand(7);
    for (int round = 0; round < 200000; round++) {
        size_t len = (size_t)rand() % 24;
        for (size_t i = 0; i < len; i++)
            in[i] = bytes[(size_t)rand() % (sizeof bytes - 1)];
        size_t n = encode(in, len, 1 + (size_t)rand() % 8);
        ssize_t r = receive(out, n, got);
        size_t w = expected(in, len, want);
        bad += r != (ssize_t)w || memcmp(got, want, w) || n > BODY_ROOM(len) + BODY_END;
    }
    ok(!bad, "random messages: %u wrong", bad);
}

static void
test_room(void)
{
    static char in[65536];
    struct body b = {0};

    memset(in, '\n', sizeof in);
    ok(body_encode(&b, in, sizeof in, out) == 2 * sizeof in, "all LF");
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = i % 2 ? '\n' : '.';
    ok(body_encode(&b, in, sizeof in, out) == 2 * sizeof in, "all dots");
    memset(in, '\r', sizeof in);
    b = (struct body){0};
    body_encode(&b, in, sizeof in, out);
    ok(body_encode(&b, in, sizeof in, out) == sizeof in, "all CR");
}

int
main(void)
{
    test_table();
    test_random();
    test_room();
    return tap_done();
}
