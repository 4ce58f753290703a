/* Any bytes as an answer of pneu-hookd's, and as a question to it. What becomes of an answer is one printable line, and whole
 * header fields; what becomes of a question is an environment of whole variables. */

#include <stdlib.h>
#include <string.h>

#include "smtpd/hook.h"
#include "smtpd/hookd.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
check_reply(struct hook_answer const *a)
{
    stralloc reply = STRALLOC_ZERO;

    if (!hook_reply(&reply, a) || reply.len < 11 || reply.len > 500 || (*reply.s != '4' && *reply.s != '5') ||
        reply.s[3] != ' ' || reply.s[4] != *reply.s || reply.s[5] != '.')
        abort();
    for (size_t i = 0; i < reply.len; i++)
        if (reply.s[i] < 32 || reply.s[i] > 126)
            abort();
    stralloc_free(&reply);
}

static void
check_answer(struct bytes in)
{
    struct hook_answer a = {.verdict = HOOK_GO}, b = {.verdict = HOOK_GO};
    stralloc again = STRALLOC_ZERO;
    struct bytes left, frame;

    if (hook_answer_scan(in, &a)) {
        check_reply(&a);
        if (!hook_answer_put(&again, &a))
            abort();
        left = (struct bytes){again.s, again.len};
        if (netstring_take(&left, again.len, &frame) != 1 || left.len || !hook_answer_scan(frame, &b) ||
            a.verdict != b.verdict || a.headers.len != b.headers.len ||
            (a.headers.len &&
             (memcmp(a.headers.s, b.headers.s, a.headers.len) != 0 || a.headers.s[a.headers.len - 1] != '\n')))
            abort();
    }
    hook_answer_free(&a);
    hook_answer_free(&b);
    stralloc_free(&again);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct hookd_question q = HOOKD_QUESTION_ZERO;
    stralloc words = STRALLOC_ZERO, line = STRALLOC_ZERO;
    struct bytes in = {(char const *)data, size};

    check_answer(in);
    if (hookd_question_scan(in, &q))
        for (size_t at = 0; at < q.env.len; at += strlen(q.env.s + at) + 1)
            if (!strchr(q.env.s + at, '='))
                abort();
    if (!stralloc_copyb(&line, in.s ? in.s : "", size) || !stralloc_0(&line) || hookd_words(line.s, &words) < 0)
        abort();
    stralloc_free(&q.env);
    stralloc_free(&q.server);
    stralloc_free(&words);
    stralloc_free(&line);
    return 0;
}
