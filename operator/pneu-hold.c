/* pneu-hold(8): sets messages aside until somebody releases them. */

#include <stdio.h>
#include <string.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/move.h"

#define USAGE                                                                                                          \
    "pneu-hold [ -Anw ] [ -r reason ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] "         \
    "[ id... ]"

static enum act_result
hold(struct act *a, struct item *i)
{
    if (i->state == ITEM_HOLD || i->why)
        return ACT_NOTHING;
    (void)snprintf(a->why, sizeof a->why, "held by %s%s%s", a->who, a->reason ? ": " : "", a->reason ? a->reason : "");
    move_note(i, EVENT_OPERATOR, "", a->why, (struct bytes){"", 0});
    return ACT_MOVE;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "Ar:",
        .past = "held",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT,
        .to = ITEM_HOLD,
        .act = hold,
    };

    PROG = "pneu-hold";
    return act_run(argc, argv, &verb);
}
