/* pneu-redirect(8): gives what somebody has to come to somebody else. */

#include <stdio.h>
#include <string.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/move.h"

#define USAGE                                                                                                          \
    "pneu-redirect [ -Anw ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] address [ id... ]"

static enum act_result
redirect(struct act *a, struct item *i)
{
    stralloc text = STRALLOC_ZERO;
    int64_t n = i->why ? 0 : -1; /* without memory it is told of, not passed over */

    if (!i->why && stralloc_cats(&text, "redirected to <") && stralloc_cats(&text, a->address) &&
        stralloc_cats(&text, "> by ") && stralloc_cats(&text, a->who) && stralloc_0(&text))
        n = move_redirect(i, &a->select, a->address, strlen(a->address), text.s, &a->written);
    a->how = MOVED_REPLACED;
    stralloc_free(&text);
    return n == -1 ? ACT_FAILED : n ? ACT_MOVE : ACT_NOTHING;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "A",
        .past = "redirected",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT | 1 << ITEM_HOLD,
        .takes = 1,
        .hints = 1,
        .act = redirect,
    };

    PROG = "pneu-redirect";
    return act_run(argc, argv, &verb);
}
