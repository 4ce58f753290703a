/* pneu-remove(8): removes messages from the queue; nobody is told. */

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/layout.h"
#include "queue/move.h"

#define USAGE "pneu-remove [ -Anw ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

static enum act_result
take_away(struct act *a, struct item *i)
{
    if (i->why && item_young(i, a->now)) /* somebody is copying it here */
        return ACT_NOTHING;
    if (!move_remove(i))
        return ACT_FAILED;
    a->unsynced[walk_step(i->state, i->path + sizeof QUEUE_WAIT)] = 1;
    return ACT_DONE;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "A",
        .past = "removed",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT | 1 << ITEM_HOLD,
        .act = take_away,
    };

    PROG = "pneu-remove";
    return act_run(argc, argv, &verb);
}
