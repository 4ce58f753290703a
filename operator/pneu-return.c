/* pneu-return(8): gives messages up now, and their senders a report. */

#include <stdio.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/envelope.h"
#include "queue/move.h"

#define USAGE                                                                                                          \
    "pneu-return [ -Anw ] [ -r reason ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] "       \
    "[ id... ]"

/* 1 if somebody would be left of a held message: its report can only be made where pneu-send works, and there he would be tried. */
static int
leaves_held(struct act const *a, struct item const *i)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;

    if (i->state != ITEM_HOLD)
        return 0;
    while (envelope_next(&cursor, &r) == 1)
        if (record_is(&r, "to")) {
            char status = i->file.status[n++];
            if (item_open_status(status) && status != STATUS_FAILED && !select_recipient(&a->select, r.value))
                return 1;
        }
    return 0;
}

/* Marked, it is pneu-send's to report on: at once, or at its next start. */
static enum act_result
give_up(struct act *a, struct item *i)
{
    char text[ITEM_WHY_MAX];
    int64_t n;

    if (i->why)
        return ACT_NOTHING;
    if (leaves_held(a, i)) {
        a->problem = "is held, and others of its recipients would be tried: release it, or return all of it";
        return ACT_FAILED;
    }
    (void)snprintf(text, sizeof text, "%s",
                   a->reason ? a->reason : "the postmaster of this host returned the message undelivered");
    n = move_fail(i, &a->select, text, &a->written);
    if (n == -1)
        return ACT_FAILED;
    if (n == 0)
        return ACT_NOTHING;
    if (!move_due(i)) {
        close(a->written);
        return ACT_FAILED;
    }
    a->how = i->state == ITEM_HOLD ? MOVED_ELSEWHERE : MOVED_STAYS;
    return ACT_MOVE;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "Ar:",
        .past = "returned",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT | 1 << ITEM_HOLD,
        .hints = 1,
        .to = ITEM_WAIT,
        .act = give_up,
    };

    PROG = "pneu-return";
    return act_run(argc, argv, &verb);
}
