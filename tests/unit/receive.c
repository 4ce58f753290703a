/* queue/receive: frames however they are cut, refusals, and what a session leaves behind; queue/callers. */

#include <stdio.h>
#include <string.h>

#include "queue/callers.h"
#include "queue/receive.h"
#include "tests/tap.h"

static stralloc story = STRALLOC_ZERO; /* what the functions below were given */

static enum receive_verdict
begin(void *data, struct bytes opening, struct intake_answer *a)
{
    stralloc_cats(&story, "b(");
    stralloc_catb(&story, opening.s, opening.len);
    stralloc_cats(&story, ")");
    receive_answer(a, 'K', 0, "2.0.0 go on");
    if (opening.len && *opening.s == 'N') {
        receive_answer(a, 'D', 31, "5.7.1 no");
        return RECEIVE_REFUSED;
    }
    return opening.len && *opening.s == 'A' ? RECEIVE_ANSWER : RECEIVE_GO;
}

static enum receive_verdict
more(void *data, char const *s, size_t len, struct intake_answer *a)
{
    stralloc_cats(&story, "m(");
    stralloc_catb(&story, s, len);
    stralloc_cats(&story, ")");
    receive_answer(a, 'Z', 53, "4.3.1 full");
    return *s == 'F' ? RECEIVE_REFUSED : RECEIVE_GO;
}

static enum receive_verdict
end(void *data, struct bytes closing, struct intake_answer *a)
{
    stralloc_cats(&story, "e(");
    stralloc_catb(&story, closing.s, closing.len);
    stralloc_cats(&story, ")");
    receive_answer(a, 'K', 0, "2.0.0 ID");
    return RECEIVE_ANSWER;
}

static void
drop(void *data)
{
    stralloc_cats(&story, "d");
}

static struct receive_ops const ops = {begin, more, end, drop, 0};

static struct {
    char const *in, *story, *out;
    int goes_on;
} const table[] = {
    {"", "", "", 1},
    {"0:,", "b()", "", 1},
    {"0:,1:x,0:,0:,", "b()m(x)e()", "11:K0 2.0.0 ID,", 1},
    {"1:A,1:x,2:yz,0:,2:rs,", "b(A)m(x)m(yz)e(rs)", "14:K0 2.0.0 go on,11:K0 2.0.0 ID,", 1},
    {"0:,0:,0:,0:,0:,0:,", "b()e()b()e()", "11:K0 2.0.0 ID,11:K0 2.0.0 ID,", 1},
    {"1:N,1:x,0:,0:,", "b(N)", "12:D31 5.7.1 no,", 0},
    {"0:,1:F,0:,0:,", "b()m(F)", "14:Z53 4.3.1 full,", 0},
    {"0:,1:x,0:,1:", "b()m(x)", "", 1},
    {"x", "", "19:Z91 4.5.2 malformed,", 0},
    {"0:;", "", "19:Z91 4.5.2 malformed,", 0},
    {"0:,65537:", "b()", "19:Z91 4.5.2 malformed,", 0},
    {"65537:", "", "", 1}, /* an envelope may be that long */
    {"67108865:", "", "19:Z91 4.5.2 malformed,", 0},
};

/* Feeds the row in pieces of that size. */
static int
fed(size_t i, size_t piece)
{
    struct receive r = RECEIVE_ZERO;
    size_t len = strlen(table[i].in);
    int goes_on = 1;

    r.ops = &ops;
    story.len = 0;
    for (size_t at = 0; at < len && goes_on; at += piece) {
        stralloc_catb(&r.in, table[i].in + at, len - at < piece ? len - at : piece);
        goes_on = receive_feed(&r);
    }
    stralloc_readyplus(&story, 1);
    stralloc_readyplus(&r.out, 1);
    int good = goes_on == table[i].goes_on && story.len == strlen(table[i].story) &&
               !memcmp(story.s, table[i].story, story.len) && r.out.len == strlen(table[i].out) &&
               !memcmp(r.out.s, table[i].out, r.out.len);
    if (!good)
        printf("# %d, %.*s, %.*s\n", goes_on, (int)story.len, story.s, (int)r.out.len, r.out.s);
    stralloc_free(&r.in);
    stralloc_free(&r.out);
    return good;
}

static void
answers(void)
{
    struct intake_answer a;
    char longtext[3000];
    stralloc out = STRALLOC_ZERO;

    memset(longtext, 'x', sizeof longtext - 1);
    longtext[sizeof longtext - 1] = 0;
    receive_answer(&a, 'Z', 111, longtext);
    ok(receive_answer_put(&out, &a) && out.len < INTAKE_ANSWER_MAX + 8 && out.s[out.len - 1] == ',',
       "a long answer is cut");
    for (int e = 1; e < 134; e++) {
        receive_answer_errno(&a, e);
        if (a.class != 'Z' || (a.exit >= 11 && a.exit <= 40) || !a.exit || a.text[0] != '4')
            ok(0, "error %d is temporary", e);
    }
    ok(1, "no error of this system is permanent");
    stralloc_free(&out);
}

static void
limits(void)
{
    static struct serve_child children[10];
    static _Atomic unsigned char idle[10];
    struct callers c = {.pneud = 1, .pneuf = 2, .pneuq = 3, .sessions = 8, .peruid = 3};
    struct serve s = {.slots = 10, .used = 10, .children = children, .idle = idle};
    unsigned int n = 0;

    while (n < 10 && callers_admit(&c, &s, 1000))
        children[n++] = (struct serve_child){.pid = 1, .key = 1000};
    ok(n == 3, "three of one uid");
    while (n < 10 && callers_admit(&c, &s, 1000 + n))
        children[n] = (struct serve_child){.pid = 1, .key = 1000 + n}, n++;
    ok(n == 6, "six of strangers: a quarter is kept");
    while (n < 10 && callers_admit(&c, &s, 1))
        children[n++] = (struct serve_child){.pid = 1, .key = 1};
    ok(n == 8, "for our own");
    children[0].pid = 0;
    ok(callers_admit(&c, &s, 1000) && callers_admit(&c, &s, 2), "a slot that is free again");
    children[0].pid = 1;
    ok(!callers_admit(&c, &s, 2), "and taken");
    idle[0] = 1;
    ok(callers_admit(&c, &s, 1000), "who waits for a session has none");
}

int
main(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t piece = 1; piece < 40; piece += piece < 4 ? 1 : 30)
            ok(fed(i, piece), "%s in pieces of %zu", table[i].in, piece);
    answers();
    limits();
    return tap_done();
}
