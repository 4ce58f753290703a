/* Any bytes as a question to pneu-authd, as an answer of it, and as users/passwords: what is taken is put back the same,
 * and every password lies within the file. */

#include <stdlib.h>
#include <string.h>

#include "control/passwords.h"
#include "lib/auth.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
same(stralloc *made, struct bytes in, struct bytes rest)
{
    if (made->len != in.len - rest.len || memcmp(made->s, in.s, made->len) != 0)
        abort();
    stralloc_free(made);
}

static void
passwords(struct bytes text)
{
    struct bytes cursor = text;
    struct password_scram scram;
    struct secret_cram cram;
    struct password p;
    char const *before = cursor.s;

    while (passwords_next(&cursor, &p)) {
        if (cursor.s <= before || !p.mailbox.len || !p.name.len || p.hash.s < text.s ||
            p.hash.s + p.hash.len > text.s + text.len)
            abort();
        before = cursor.s;
        (void)passwords_may(p.rights, "smtp");
        if (passwords_scram(&p, &scram) && !scram.rounds)
            abort();
        (void)passwords_cram(&p, &cram);
        struct bytes again = text;
        struct password found;
        if (!passwords_find(&again, p.mailbox, &found))
            abort();
    }
    if (cursor.len)
        abort();
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct bytes const in = {(char const *)data, size};
    struct bytes rest = in;
    stralloc made = STRALLOC_ZERO;
    struct auth_question q;
    struct auth_answer a;

    if (auth_question_take(&rest, &q) == 1) {
        if (q.count > AUTH_SAID_MAX || q.count == 2 || !auth_question_put(&made, &q))
            abort();
        same(&made, in, rest);
    }
    rest = in;
    if (auth_answer_take(&rest, &a) == 1) {
        if (!auth_answer_put(&made, &a))
            abort();
        same(&made, in, rest);
    }
    passwords(in);
    return 0;
}
