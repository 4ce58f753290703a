#include "lib/auth.h"

#include <errno.h>
#include <string.h>

#include "tests/tap.h"

static struct bytes
text(char const *s)
{
    return (struct bytes){s, strlen(s)};
}

static int
is(struct bytes b, char const *s)
{
    return b.len == strlen(s) && !memcmp(b.s, s, b.len);
}

static void
question(void)
{
    static char const wire[] = "60:5:PLAIN,4:smtp,9:192.0.2.1,0:,0:,23:\0alice@pneu.test\0sesame,,";
    struct auth_question const q = {.mechanism = {"PLAIN", 5},
                                    .service = {"smtp", 4},
                                    .client = {"192.0.2.1", 9},
                                    .said = {{"\0alice@pneu.test\0sesame", 23}},
                                    .count = 1};
    struct auth_question got;
    stralloc out = STRALLOC_ZERO;
    int whole = 1;

    ok(auth_question_put(&out, &q) && out.len == sizeof wire - 1 && !memcmp(out.s, wire, out.len), "a question");
    for (size_t n = 0; n < out.len; n++) {
        struct bytes in = {out.s, n};
        whole = whole && auth_question_take(&in, &got) == 0 && in.len == n;
    }
    ok(whole, "none of its beginnings is one");
    struct bytes in = {out.s, out.len};
    ok(auth_question_take(&in, &got) == 1 && !in.len && is(got.mechanism, "PLAIN") && is(got.service, "smtp") &&
           is(got.client, "192.0.2.1") && !got.listener.len && !got.tls.len && got.count == 1 && got.said[0].len == 23,
       "it comes out as it went in");
    stralloc_free(&out);
    static char const *const malformed[] = {
        "0:,",
        "3:0:,,",
        "21:5:PLAIN,4:smtp,0:,0:,,",
        "x",
        "1:x,",
        "99999:",
        "40:5:PLAIN,4:smtp,0:,0:,0:,1:a,1:b,1:c,1:d,,", /* four messages */
        "32:5:PLAIN,4:smtp,0:,0:,0:,1:a,1:b,,",         /* the server's is the last */
    };
    for (unsigned int i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        in = text(malformed[i]);
        ok(auth_question_take(&in, &got) == -1, "malformed: %s", malformed[i]);
    }
}

static void
answer(void)
{
    struct auth_answer const a = {'K', .data = {"v=x", 3}, .login = {"joe", 3}, .name = {"main", 4},
                                  .rights = {"smtp", 4}};
    struct auth_answer got;
    stralloc out = STRALLOC_ZERO;

    ok(auth_answer_put(&out, &a) == 1, "an answer");
    struct bytes in = {out.s, out.len};
    ok(auth_answer_take(&in, &got) == 1 && got.class == 'K' && is(got.data, "v=x") && is(got.login, "joe") &&
           is(got.name, "main") && is(got.rights, "smtp") && !got.reason.len,
       "it comes out as it went in");
    stralloc_free(&out);
    static char const *const malformed[] = {"19:1:X,0:,0:,0:,0:,0:,,", "18:0:,0:,0:,0:,0:,0:,,", "16:1:K,0:,0:,0:,0:,,",
                                            "22:1:K,0:,0:,0:,0:,0:,0:,,", "0:,"};
    for (unsigned int i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        in = text(malformed[i]);
        ok(auth_answer_take(&in, &got) == -1, "malformed: %s", malformed[i]);
    }
}

static void
bounds(void)
{
    static char long_[AUTH_MAX + 1];
    struct auth_question q = {.said = {{long_, sizeof long_}}, .count = 1};
    stralloc out = STRALLOC_ZERO;
    tain deadline;
    struct auth_answer a;

    memset(long_, 'x', sizeof long_);
    ok(!auth_question_put(&out, &q) && errno == EMSGSIZE, "a question that is too long");
    tain_now_set_stopwatch_g();
    tain_addsec_g(&deadline, 5);
    q.count = 0;
    long_[AUTH_MAX] = 0;
    ok(!auth_ask("/nonexistent/pneu/auth", &q, &a, &out, &deadline) && errno == ENOENT, "nobody to ask");
    ok(!auth_ask(long_ + 1000, &q, &a, &out, &deadline) && errno == ENAMETOOLONG, "a path that is none");
    stralloc_free(&out);
}

int
main(void)
{
    question();
    answer();
    bounds();
    return tap_done();
}
