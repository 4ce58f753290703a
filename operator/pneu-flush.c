/* pneu-flush(8): makes messages that wait due now. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "operator/act.h"
#include "queue/layout.h"
#include "queue/move.h"
#include "queue/trigger.h"

#define USAGE "pneu-flush [ -Anw ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

static int
is_running(void)
{
    int fd = open(QUEUE_SENDLOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int held = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1;

    if (fd != -1)
        close(fd);
    return held;
}

/* A destination that rests is told, too. */
static void
wake_domains(stralloc const *domains)
{
    char word[TRIGGER_WORD];

    for (size_t at = 0; at < domains->len; at += strlen(domains->s + at) + 1)
        if (!strpbrk(domains->s + at, "*?\n") && snprintf(word, sizeof word, "@%s", domains->s + at) < (int)sizeof word)
            act_hint(word);
}

/* All at once: pneu-send, where it runs, has them in memory. */
static int
all(struct act *a)
{
    wake_domains(&a->select.domain);
    if (!select_all(&a->select) || a->select.states || !is_running())
        return 0;
    act_hint(TRIGGER_ALL_LINE);
    return 1;
}

static enum act_result
make_due(struct act *a, struct item *i)
{
    char text[ITEM_WHY_MAX];

    if (i->why || i->state > ITEM_WAIT)
        return ACT_NOTHING;
    (void)snprintf(text, sizeof text, "asked for by %s", a->who);
    move_note(i, EVENT_OPERATOR, "", text, (struct bytes){"", 0});
    return move_due(i) ? ACT_DONE : ACT_FAILED;
}

int
main(int argc, char const *const *argv)
{
    static struct act_verb const verb = {
        .usage = USAGE,
        .options = "A",
        .past = "due",
        .states = 1 << ITEM_NEW | 1 << ITEM_WAIT,
        .hints = 1,
        .all = 1,
        .busy = 1,
        .act = make_due,
        .first = all,
    };

    PROG = "pneu-flush";
    return act_run(argc, argv, &verb);
}
