#include "operator/heldby.h"

#include "queue/envelope.h"

/* Once each. */
static void
note(struct item *i, enum setting which)
{
    unsigned int n = 0;

    if (which == SET_count)
        return;
    while (i->held[n] && i->held[n] != control_rows[which].name)
        n++;
    i->held[n] = control_rows[which].name;
}

static int
note_recipients(struct held *h, struct item *i)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    enum setting which;
    uint32_t n = 0;

    while (envelope_recipient(&cursor, &r)) {
        if (!item_open_status(i->file.status[n++]))
            continue;
        if (!held_recipient(h, r.value.s, r.value.len, &which))
            return 0;
        note(i, which);
    }
    return 1;
}

int
heldby(struct held *h, struct item *i)
{
    struct bytes login = {"", 0};

    if (i->why || (i->state != ITEM_NEW && i->state != ITEM_WAIT))
        return 1;
    if (h->logins.len)
        (void)envelope_find(i->file.envelope, "login", &login);
    note(i, held_sender(&h->senders, &h->logins, i->from.s, i->from.len, login.s, login.len));
    return !held_recipients(h) || note_recipients(h, i);
}
