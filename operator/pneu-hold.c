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
    char text[ITEM_WHY_MAX];

    if (i->state == ITEM_HOLD || i->why)
        return ACT_NOTHING;
    (void)snprintf(text, sizeof text, "held by %s%s%s", a->who, a->reason ? ": " : "", a->reason ? a->reason : "");
    move_note(i, EVENT_OPERATOR, "", text, (struct bytes){"", 0});
    return move_aside(i, ITEM_HOLD, text) ? ACT_DONE : ACT_FAILED;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "Ar:",
        .past = "held",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT,
        .act = hold,
    };

    PROG = "pneu-hold";
    return act_run(argc, argv, &verb);
}
