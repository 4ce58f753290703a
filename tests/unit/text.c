/* inject/text.c: line ends, dots, and pieces of any size. */

#include <stdlib.h>
#include <string.h>

#include "inject/text.h"
#include "tests/tap.h"

static struct {
    int dots;
    char const *in, *out;
} const texts[] = {
    {0, "", ""},
    {0, "a\n", "a\n"},
    {0, "a", "a\n"},
    {0, "\n", "\n"},
    {0, "a\r\nb\r\n", "a\nb\n"},
    {0, "a\r\nb", "a\nb\n"},
    {0, "a\rb\n", "a\rb\n"},
    {0, "\r", "\r\n"},
    {0, "\r\r\n", "\r\n"},
    {0, "\r\r\r\n\r", "\r\r\n\r\n"},
    {0, "a\r\r\nb", "a\r\nb\n"},
    {0, "\r\n", "\n"},
    {0, "a\nb\r\nc\n", "a\nb\nc\n"},
    {0, ".\n", ".\n"},
    {0, "a\n.\nb\n", "a\n.\nb\n"},
    {0, "..\n.\r\n.", "..\n.\n.\n"},
    {0, "a\r", "a\r\n"},
    {1, "", ""},
    {1, "a\n.\nb\n", "a\n"},
    {1, "a\r\n.\r\nb\r\n", "a\n"},
    {1, ".\n", ""},
    {1, ".\r\nx", ""},
    {1, ".", ""},
    {1, ".\r", ""},
    {1, "a\n.", "a\n"},
    {1, "a\n.\r", "a\n"},
    {1, "..\na\n", "..\na\n"},
    {1, ".a\n.b\n.\nc\n", ".a\n.b\n"},
    {1, ". \n", ". \n"},
    {1, ".\ra\n", ".\ra\n"},
    {1, ".\r\r\n", ".\r\n"},
    {1, "a.\n.", "a.\n"},
    {1, "a .\nb", "a .\nb\n"},
    {1, "\n.\n", "\n"},
    {1, "\r.\n", "\r.\n"},
    {1, "\r\n.\n", "\n"},
    {1, "x\n\n.\n.\n", "x\n\n"},
};

static size_t
convert(char const *in, size_t len, int dots, size_t piece, char *out)
{
    struct text t = {.dots = dots};
    char room[TEXT_ROOM + 256];
    size_t n = 0;

    for (size_t at = 0; at < len; at += piece) {
        size_t k = len - at < piece ? len - at : piece;
        char *s;
        memcpy(room + TEXT_ROOM, in + at, k);
        size_t m = text_take(&t, room + TEXT_ROOM, k, &s);
        memcpy(out + n, s, m);
        n += m;
    }
    n += text_finish(&t, out + n);
    return n;
}

int
main(void)
{
    for (unsigned int i = 0; i < sizeof texts / sizeof *texts; i++) {
        int good = 1;
        for (size_t piece = 1; piece <= strlen(texts[i].in) + 1; piece++) {
            char out[512];
            size_t n = convert(texts[i].in, strlen(texts[i].in), texts[i].dots, piece, out);
            good &= n == strlen(texts[i].out) && !memcmp(out, texts[i].out, n);
        }
        ok(good, "text %u, in pieces of any size", i);
    }
    return tap_done();
}
