#include "smtpd/tidy.h"

#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/addresslist.h"
#include "lib/date.h"
#include "queue/envelope.h"
#include "queue/id.h"

void
tidy_begin(struct tidy *t)
{
    header_free(&t->header);
    t->header = (struct header)HEADER_ZERO;
    memset(t->seen, 0, sizeof t->seen);
    t->froms.len = t->out.len = 0;
    t->malformed = 0;
}

void
tidy_free(struct tidy *t)
{
    header_free(&t->header);
    for (unsigned int i = 0; i < COMPLETE_count; i++)
        stralloc_free(t->complete.value + i);
    stralloc_free(&t->froms);
    stralloc_free(&t->out);
}

int
tidy_feed(struct tidy *t, char const *s, size_t len, size_t *used)
{
    int over = header_feed(&t->header, s, len, used);

    return over != -1 && t->header.text.len > TIDY_MAX ? (errno = EMSGSIZE, -1) : over;
}

int
tidy_finish(struct tidy *t)
{
    return header_finish(&t->header);
}

/* ---- the fields that are there ---- */

static int
has_addresses(enum header_name name)
{
    switch (name) {
    case HEADER_FROM:
    case HEADER_SENDER:
    case HEADER_REPLY_TO:
    case HEADER_TO:
    case HEADER_CC:
    case HEADER_RESENT_FROM:
    case HEADER_RESENT_SENDER:
    case HEADER_RESENT_REPLY_TO:
    case HEADER_RESENT_TO:
    case HEADER_RESENT_CC:
        return 1;
    default:
        return 0;
    }
}

/* An address of From is kept, to be asked about. One that no envelope could hold is nobody's. */
static int
keep(struct tidy *t, struct addresslist_entry const *a)
{
    size_t at = t->froms.len;

    if (!stralloc_cat(&t->froms, &a->local) || !stralloc_append(&t->froms, '@') || !stralloc_cat(&t->froms, &a->domain))
        return 0;
    if (!envelope_address(t->froms.s + at, t->froms.len - at)) {
        t->froms.len = at;
        t->malformed = 1;
        return 1;
    }
    return stralloc_0(&t->froms);
}

/* addresslist_func */
static int
note(void *data, struct addresslist_entry *a)
{
    struct tidy *t = data;

    if (!complete_address(&t->complete, a))
        return 0;
    return !t->in_from || !a->local.len || keep(t, a);
}

/* Appends a field's body with its addresses completed; as it is if it is no address list. */
static int
put_addresses(struct tidy *t, struct header_field const *f)
{
    char const *body = t->header.text.s + f->body, *why;
    stralloc out = STRALLOC_ZERO;
    int good;

    t->in_from = f->name == HEADER_FROM;
    good = addresslist_walk(body, f->end - f->body, &out, note, t, &why);
    if (good)
        good = stralloc_cat(&t->out, &out);
    else if (why) {
        t->malformed |= t->in_from;
        good = stralloc_catb(&t->out, body, f->end - f->body);
    }
    int e = errno;
    stralloc_free(&out);
    return (errno = e, good);
}

static int
put_field(struct tidy *t, struct header_field const *f)
{
    char const *text = t->header.text.s;

    t->seen[f->name] = 1;
    if (header_private(f->name) || f->name == HEADER_MBOX)
        return 1;
    if (!has_addresses(f->name))
        return stralloc_catb(&t->out, text + f->start, f->end - f->start);
    return stralloc_catb(&t->out, text + f->start, f->body - f->start) && put_addresses(t, f);
}

int
tidy_fields(struct tidy *t)
{
    t->out.len = 0;
    for (size_t i = 0; i < header_count(&t->header); i++)
        if (!put_field(t, header_field(&t->header, i)))
            return 0;
    return 1;
}

/* ---- those that are not ---- */

/* Takes the Sender fields out of t->out: they stand there as they came, but for their addresses. */
static int
drop_sender(struct tidy *t)
{
    struct header again = HEADER_ZERO;
    size_t used, len = 0;
    int good = header_feed(&again, t->out.s, t->out.len, &used) != -1 && header_finish(&again) != -1;

    for (size_t i = 0; good && i < header_count(&again); i++) {
        struct header_field const *f = header_field(&again, i);
        if (f->name == HEADER_SENDER)
            continue;
        memmove(t->out.s + len, again.text.s + f->start, f->end - f->start);
        len += f->end - f->start;
    }
    if (good)
        t->out.len = len;
    int e = errno;
    header_free(&again);
    return (errno = e, good);
}

static int
put_mailbox(struct tidy *t, char const *field, struct bytes address)
{
    return stralloc_cats(&t->out, field) && addr_quote(&t->out, address.s, address.len) &&
           stralloc_append(&t->out, '\n');
}

static int
put_date(struct tidy *t, uint64_t now)
{
    char date[DATE_SIZE];

    return stralloc_cats(&t->out, "Date: ") && stralloc_catb(&t->out, date, date_fmt(date, now, 0)) &&
           stralloc_append(&t->out, '\n');
}

static int
put_id(struct tidy *t)
{
    char id[ID_SIZE];

    return complete_value(&t->complete, COMPLETE_ID) && id_new(id) && stralloc_cats(&t->out, "Message-ID: <") &&
           stralloc_cats(&t->out, id) && stralloc_append(&t->out, '@') &&
           stralloc_cat(&t->out, t->complete.value + COMPLETE_ID) && stralloc_cats(&t->out, ">\n");
}

int
tidy_write(struct tidy *t, struct bytes from, struct bytes sender, uint64_t now)
{
    struct header const *h = &t->header;
    size_t body = h->text.len - h->end;

    if (sender.len && !((!t->seen[HEADER_SENDER] || drop_sender(t)) && put_mailbox(t, "Sender: ", sender)))
        return 0;
    if (!t->seen[HEADER_FROM] && from.len && !put_mailbox(t, "From: ", from))
        return 0;
    if ((!t->seen[HEADER_DATE] && !put_date(t, now)) || (!t->seen[HEADER_MESSAGE_ID] && !put_id(t)))
        return 0;
    return stralloc_append(&t->out, '\n') && (!body || stralloc_catb(&t->out, h->text.s + h->end, body));
}
