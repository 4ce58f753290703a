/* pneu-remove(8): removes messages from the queue; nobody is told. */

#include <stdio.h>
#include <string.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/move.h"

#define USAGE "pneu-remove [ -Anw ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

static enum act_result
take_away(struct act *a, struct item *i)
{
    char folder[sizeof a->unsynced] = "";

    if (i->why && item_young(i, a->now)) /* somebody is copying it here */
        return ACT_NOTHING;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strlen(i->path) - ID_LEN - 1), i->path);
    if ((strcmp(folder, a->unsynced) != 0 && !act_sync(a)) || !move_remove(i))
        return ACT_FAILED;
    memcpy(a->unsynced, folder, sizeof folder);
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
