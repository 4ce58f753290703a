/* pneu-release(8): lets held messages go on. */

#include <stdio.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/move.h"

#define USAGE "pneu-release [ -Aknw ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

/* Into wait/, also what was never tried: of what it finds there pneu-send does not believe that it is new, and that nothing of it was
 * delivered yet. A file of bad/ that is whole was put right by somebody. */
static enum act_result
release(struct act *a, struct item *i)
{
    char text[ITEM_WHY_MAX];

    if (i->state < ITEM_HOLD || i->why)
        return ACT_NOTHING;
    (void)snprintf(text, sizeof text, "released by %s", a->who);
    move_note(i, EVENT_OPERATOR, "", text, (struct bytes){"", 0});
    return a->keep || move_due(i) ? ACT_MOVE : ACT_FAILED;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "Ak",
        .past = "released",
        .states = 1 << ITEM_HOLD,
        .hints = 1,
        .to = ITEM_WAIT,
        .act = release,
    };

    PROG = "pneu-release";
    return act_run(argc, argv, &verb);
}
