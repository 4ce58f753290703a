/* queue/inqueue, queue/parts and filterd_envelope: qmail-queue's envelope, records beside it, and the two parts of the intake's. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/envelope.h"
#include "queue/filterd.h"
#include "queue/inqueue.h"
#include "tests/tap.h"

#define S(s) s, sizeof(s) - 1

static struct {
    char const *in;
    size_t len;
    int code;
    char const *out;
    size_t outlen;
} const envelopes[] = {
    {S("Fa\0Tb\0\0"), QUEUE_OK, S("a\0b\0")},
    {S("F\0Tb\0Tc\0\0"), QUEUE_OK, S("\0b\0c\0")},
    {S("Fa\0\0"), QUEUE_OK, S("a\0")},
    {S("Fa\0T\0\0"), QUEUE_OK, S("a\0\0")},
    {S("Fa\0Tb\0\0Tc\0"), QUEUE_OK, S("a\0b\0")},
    {S(""), QUEUE_READ, S("")},
    {S("Fa"), QUEUE_READ, S("")},
    {S("Fa\0"), QUEUE_READ, S("")},
    {S("Fa\0Tb"), QUEUE_READ, S("")},
    {S("Fa\0Tb\0"), QUEUE_READ, S("")},
    {S("\0"), QUEUE_FORMAT, S("")},
    {S("Ta\0\0"), QUEUE_FORMAT, S("")},
    {S("Fa\0Fb\0\0"), QUEUE_FORMAT, S("")},
    {S("Fa\0xb\0\0"), QUEUE_FORMAT, S("")},
    {S("fa\0Tb\0\0"), QUEUE_FORMAT, S("")},
    {S("Fa\0Tb\nc\0\0"), QUEUE_REFUSED, S("")},
    {S("Fa\0Tb\x7f\0\0"), QUEUE_REFUSED, S("")},
};

static int
read_envelope(char const *s, size_t len, stralloc *to)
{
    int p[2], code;

    if (pipe(p) == -1 || write(p[1], s, len) != (ssize_t)len)
        return -1;
    close(p[1]);
    to->len = 0;
    code = inqueue_addresses(p[0], to);
    close(p[0]);
    return code;
}

static void
addresses(void)
{
    stralloc got = STRALLOC_ZERO;
    char text[3000] = "Fa";

    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        int code = read_envelope(envelopes[i].in, envelopes[i].len, &got);
        ok(code == envelopes[i].code &&
               (code || (got.len == envelopes[i].outlen && !memcmp(got.s, envelopes[i].out, got.len))),
           "envelope %zu: %d", i, code);
    }
    text[3] = 'T';
    memset(text + 4, 'x', 1000);
    ok(read_envelope(text, 1006, &got) == QUEUE_OK && got.len == 1003, "an address of 1000 bytes");
    text[1004] = 'x';
    ok(read_envelope(text, 1007, &got) == QUEUE_LONG, "of 1001");
    memset(text + 4, 'x', 2000);
    ok(read_envelope(text, 2004, &got) == QUEUE_LONG, "far too long, and no end");
    stralloc_free(&got);
}

/* "a=b c=d" becomes records. */
static struct bytes
records(stralloc *to, char const *text)
{
    to->len = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        netstring_put(to, text, n);
        text += n + (text[n] == ' ');
    }
    return (struct bytes){to->s ? to->s : "", to->len};
}

static int
equal(stralloc const *got, char const *text)
{
    stralloc want = STRALLOC_ZERO;
    struct bytes w = records(&want, text);
    int same = got->len == w.len && !memcmp(got->s ? got->s : "", w.s, w.len);

    if (!same)
        printf("# %.*s\n", (int)got->len, got->s ? got->s : "");
    stralloc_free(&want);
    return same;
}

static struct {
    char const *addresses;
    size_t len;
    char const *extra, *opening, *closing;
} const merges[] = {
    {S("a\0b\0"), "", "size=5", "from=a to=b"},
    {S("a\0b\0c\0"), "ret=FULL to=b notify=NEVER to=c orcpt=x", "ret=FULL size=5",
     "from=a to=b notify=NEVER to=c orcpt=x"},
    {S("a\0c\0b\0"), "to=b notify=NEVER to=c orcpt=x", "size=5", "from=a to=c orcpt=x to=b notify=NEVER"},
    {S("a\0c\0"), "to=b notify=NEVER to=c orcpt=x", "size=5", "from=a to=c orcpt=x"},
    {S("a\0new\0c\0"), "to=c orcpt=x", "size=5", "from=a to=new to=c orcpt=x"},
    {S("a\0b\0b\0"), "to=b orcpt=1 to=b orcpt=2", "size=5", "from=a to=b orcpt=1 to=b orcpt=2"},
    {S("a\0b\0"), "from=evil size=9 ask=1 token=t to=b", "token=t size=5", "from=a to=b"},
};

static void
merging(void)
{
    stralloc extra = STRALLOC_ZERO, out = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        struct bytes x = records(&extra, merges[i].extra);
        out.len = 0;
        ok(inqueue_opening(&out, x, 5) && equal(&out, merges[i].opening), "opening %zu", i);
        out.len = 0;
        ok(inqueue_closing(&out, (struct bytes){merges[i].addresses, merges[i].len}, x) &&
               equal(&out, merges[i].closing),
           "closing %zu", i);
    }
    out.len = 0;
    ok(!inqueue_opening(&out, (struct bytes){"3:xyz,", 6}, -1), "a record that is none");
    stralloc_free(&extra);
    stralloc_free(&out);
}

static struct {
    int trusted;
    char const *opening, *closing, *whole; /* without time and uid, which parts_join adds behind the head */
} const joins[] = {
    {0, "", "from=a to=b", "from=a to=b"},
    {0, "from=a ret=FULL", "to=b notify=NEVER", "from=a ret=FULL to=b notify=NEVER"},
    {0, "from=a to=b notify=NEVER", "ret=FULL to=c", "from=a ret=FULL to=b notify=NEVER to=c"},
    {0, "login=x client=y origin=smtp listener=in from=a", "to=b login=x", "from=a to=b"},
    {1, "login=x client=y origin=smtp listener=in from=a", "to=b",
     "login=x client=y origin=smtp listener=in from=a to=b"},
    {1, "size=1 ask=1 token=t time=1 uid=0 home=x job=1 from=a", "to=b index=7 user=root", "from=a to=b"},
    {0, "unknown=kept from=a", "to=b more=too", "unknown=kept from=a to=b more=too"},
};

/* Takes time= and uid= out again. */
static void
without_ours(stralloc *to, struct bytes envelope)
{
    struct record r;

    to->len = 0;
    for (char const *begin = envelope.s; envelope_next(&envelope, &r) == 1; begin = envelope.s)
        if (!record_is(&r, "time") && !record_is(&r, "uid"))
            stralloc_catb(to, begin, (size_t)(envelope.s - begin));
}

static void
parts(void)
{
    struct parts p = {.head = STRALLOC_ZERO, .tail = STRALLOC_ZERO};
    stralloc text = STRALLOC_ZERO, got = STRALLOC_ZERO;
    struct bytes whole, value;
    uint32_t recipients;

    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        parts_begin(&p, joins[i].trusted);
        int good = parts_add(&p, records(&text, joins[i].opening)) == 1 &&
                   parts_add(&p, records(&text, joins[i].closing)) == 1 && parts_join(&p, 1234, &whole) &&
                   envelope_check(whole, &recipients);
        ok(good && envelope_find(whole, "uid", &value) == 1 && value.len == 4, "parts %zu: our uid is in it", i);
        without_ours(&got, whole);
        ok(equal(&got, joins[i].whole), "parts %zu: sorted", i);
    }
    parts_begin(&p, 0);
    ok(parts_add(&p, (struct bytes){"3:xyz,", 6}) == -1, "a record that is none");
    got.len = 0;
    ok(filterd_envelope(&got, records(&text, "ret=FULL from=a to=b notify=NEVER to=c")) && got.len == 10 &&
           !memcmp(got.s, "Fa\0Tb\0Tc\0\0", 10),
       "the filter's descriptor 1: %zu", got.len);
    ok(!filterd_envelope(&got, records(&text, "ret=FULL")), "none without a sender");
    stralloc_free(&p.head);
    stralloc_free(&p.tail);
    stralloc_free(&text);
    stralloc_free(&got);
}

static void
verdicts(void)
{
    struct intake_answer a;

    for (int code = 0; code < 256; code++) {
        char want = !code ? 'K' : code >= 11 && code <= 40 ? 'D' : 'Z';
        filterd_judge(code, &a);
        if (a.class != want || a.exit != (unsigned int)code ||
            a.text[0] != (want == 'K'   ? '2'
                          : want == 'D' ? '5'
                                        : '4'))
            ok(0, "exit %d", code);
    }
    ok(1, "11 to 40 are permanent, all others temporary");
}

int
main(void)
{
    addresses();
    merging();
    parts();
    verdicts();
    return tap_done();
}
