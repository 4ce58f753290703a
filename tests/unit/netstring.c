/* lib/netstring: every whole, broken and unfinished form. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/netstring.h"
#include "tests/tap.h"

int
main(void)
{
    static struct {
        char const *in;
        size_t len;
        int result, error;
        char const *item;
        size_t left;
    } const cases[] = {
        {"5:hello,", 8, 1, 0, "hello", 0},
        {"0:,", 3, 1, 0, "", 0},
        {"0:,rest", 7, 1, 0, "", 4},
        {"3:a,b,x", 7, 1, 0, "a,b", 1},
        {"", 0, 0, 0, 0, 0},
        {"5", 1, 0, 0, 0, 1},
        {"5:", 2, 0, 0, 0, 2},
        {"5:hell", 6, 0, 0, 0, 6},
        {"5:hello", 7, 0, 0, 0, 7},
        {"20:", 3, 0, 0, 0, 3},
        {":,", 2, -1, EPROTO, 0, 2},
        {"x", 1, -1, EPROTO, 0, 1},
        {" 5:hello,", 9, -1, EPROTO, 0, 9},
        {"05:hello,", 9, -1, EPROTO, 0, 9},
        {"00:,", 4, -1, EPROTO, 0, 4},
        {"-1:,", 4, -1, EPROTO, 0, 4},
        {"5;hello,", 8, -1, EPROTO, 0, 8},
        {"5:hello;", 8, -1, EPROTO, 0, 8},
        {"5:helloo", 8, -1, EPROTO, 0, 8},
        {"21:", 3, -1, EMSGSIZE, 0, 3},
        {"99999999999999999999:", 21, -1, EMSGSIZE, 0, 21},
        {"4294967296:", 11, -1, EMSGSIZE, 0, 11},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes in = {cases[i].in, cases[i].len};
        struct bytes item = {0, 0};
        errno = 0;
        int got = netstring_take(&in, 20, &item);
        ok(got == cases[i].result && in.len == cases[i].left && in.s == cases[i].in + cases[i].len - in.len &&
               (got != -1 || errno == cases[i].error) &&
               (got != 1 || (item.len == strlen(cases[i].item) && !memcmp(item.s, cases[i].item, item.len))),
           "\"%s\"", cases[i].in);
    }

    stralloc out = STRALLOC_ZERO;
    ok(netstring_put(&out, "hello", 5) && netstring_put(&out, "", 0) && out.len == 11 &&
           !memcmp(out.s, "5:hello,0:,", 11),
       "two are put behind each other");
    out.len = SIZE_MAX - 4;
    ok(!netstring_put(&out, "hello", 5), "where there is no memory none is put");
    ok(netstring_overhead(0) == 3 && netstring_overhead(9) == 3 && netstring_overhead(10) == 4, "what a frame adds");
    return tap_done();
}
