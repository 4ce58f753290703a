#include "lib/base64.h"

#include <string.h>

#include "tests/tap.h"

static struct {
    char const *bytes, *text;
} const pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xef\xff", "++//"},
};

/* Texts that stand for nothing, or for what another text stands for. */
static char const *const malformed[] = {
    "Z",     "Zg",     "Zg=",      "Zg===", "Zh==", "Zm9=",    "=Zg=",  "====",     "Z===", "Zg==Zg==",
    "Zm 9v", "Zm9v\n", "Zm9v\r\n", "Zm9-",  "Zm_v", "Zm9\x80", "Zm9v=", "Zm9vZ=g=", " Zg=", "*",
};

static void
known(void)
{
    for (unsigned int i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char out[64];
        size_t bytes = strlen(pairs[i].bytes), text = strlen(pairs[i].text);
        ok(base64_encode(out, pairs[i].bytes, bytes) == text && !memcmp(out, pairs[i].text, text), "encodes %s",
           pairs[i].text);
        ok(base64_decode(out, pairs[i].text, text) == (ssize_t)bytes && !memcmp(out, pairs[i].bytes, bytes),
           "decodes %s", pairs[i].text);
    }
    for (unsigned int i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char out[64];
        ok(base64_decode(out, malformed[i], strlen(malformed[i])) == -1, "malformed text %u", i);
    }
    char nul[4] = {'Z', 'm', 0, 'v'};
    ok(base64_decode(nul, nul, 4) == -1, "NUL");
}

/* Every byte at every place, and in place. */
static void
round_trips(void)
{
    int good = 1;

    for (unsigned int len = 0; len < 300; len++) {
        char bytes[300], text[BASE64_ENCODED(300)];
        for (unsigned int i = 0; i < len; i++)
            bytes[i] = (char)(i * 7 + len);
        size_t n = base64_encode(text, bytes, len);
        good = good && n == BASE64_ENCODED(len) && BASE64_DECODED(n) >= len;
        good = good && base64_decode(text, text, n) == (ssize_t)len && !memcmp(text, bytes, len);
    }
    ok(good, "300 lengths there and back");
}

int
main(void)
{
    known();
    round_trips();
    return tap_done();
}
