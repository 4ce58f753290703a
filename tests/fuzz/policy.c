/* Any bytes as a policy server's reply: an exit code that pneu-hookd knows, and at most one line for each descriptor. */

#include <stdlib.h>
#include <string.h>

#include "smtpd/delegate.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static void
check_line(stralloc const *s)
{
    if (s->len && memchr(s->s, '\n', s->len) != s->s + s->len - 1)
        abort();
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct delegate_action a = {.text = STRALLOC_ZERO};
    struct bytes in = {(char const *)data, size};

    (void)delegate_reply_ends(in);
    if (!delegate_action_scan(in, 99, &a) || (a.exit && a.exit != 99 && a.exit != 100 && a.exit != 111))
        abort();
    check_line(&a.text);
    check_line(&a.field);
    check_line(&a.note);
    stralloc_free(&a.text);
    stralloc_free(&a.field);
    stralloc_free(&a.note);
    return 0;
}
