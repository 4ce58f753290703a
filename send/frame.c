#include "send/frame.h"

#include <errno.h>
#include <string.h>

#include "send/attempt.h"

#define FRAME_ENOUGH (JOB_MAX - 65536) /* a recipient's records are less than the rest */

int
frame_sender(stralloc *to, struct bytes from, struct bytes recipient)
{
    char const *host, *at;

    if (from.len < 5 || memcmp(from.s + from.len - 4, "-@[]", 4) != 0)
        return 0;
    from.len -= 4;
    host = memrchr(from.s, '@', from.len);
    at = memrchr(recipient.s, '@', recipient.len);
    if (!host || !at)
        return 0;
    to->len = 0;
    return stralloc_catb(to, from.s, (size_t)(host - from.s)) &&
                   stralloc_catb(to, recipient.s, (size_t)(at - recipient.s)) && stralloc_catb(to, "=", 1) &&
                   stralloc_catb(to, at + 1, recipient.len - (size_t)(at - recipient.s) - 1) &&
                   stralloc_catb(to, host, from.len - (size_t)(host - from.s))
               ? 1
               : -1;
}

static int
put(stralloc *to, char const *name, struct bytes value)
{
    return !value.len || envelope_put(to, name, value.s, value.len);
}

static int
head(stralloc *to, struct message const *m, struct target const *t, uint64_t number)
{
    static struct bytes const transports[] = {
        [ROUTE_LOCAL] = {"local", 5}, [ROUTE_MAILBOX] = {"mailbox", 7}, [ROUTE_REMOTE] = {"remote", 6}};
    struct bytes key = t->route == ROUTE_MAILBOX ? transports[ROUTE_MAILBOX] : attempt_key(m, t);
    struct bytes transport = transports[t->route];
    /* Of two mailboxes of one recipient the first may have its copy from an earlier attempt, and have had it read. */
    int tried = m->again || m->waits;

    return envelope_putuint(to, "job", number) && put(to, "transport", transport) && put(to, "key", key) &&
           envelope_put(to, "id", m->id, ID_LEN) && envelope_putuint(to, "offset", FILE_HEADER) &&
           envelope_putuint(to, "length", m->file.header.message) && (!tried || envelope_put(to, "again", "1", 1)) &&
           envelope_put(to, "from", m->from.s, m->from.len) && put(to, "body", m->body) &&
           (!m->smtputf8 || envelope_put(to, "smtputf8", "1", 1)) && put(to, "ret", m->ret) &&
           put(to, "envid", m->envid) && (!m->requiretls || envelope_put(to, "requiretls", "1", 1));
}

/* What stands behind a recipient in the envelope and is his. */
static int
own_records(stralloc *to, struct message const *m, struct target const *t)
{
    struct bytes cursor = {m->file.envelope.s + t->record, m->file.envelope.len - t->record};
    struct record r;

    while (envelope_next(&cursor, &r) == 1 && !record_is(&r, "to"))
        if ((record_is(&r, "notify") && !put(to, "notify", r.value)) ||
            (record_is(&r, "orcpt") && !put(to, "orcpt", r.value)))
            return 0;
    return 1;
}

static int
recipient(stralloc *to, struct message const *m, struct target const *t, stralloc *sender)
{
    struct bytes address = {m->text.s + t->to, t->len};
    int own = frame_sender(sender, m->from, address);

    return own != -1 && envelope_put(to, "to", address.s, address.len) && envelope_putuint(to, "index", t->index) &&
           (!own || envelope_put(to, "from", sender->s, sender->len)) && own_records(to, m, t);
}

int
frame_job(stralloc *to, struct message const *m, struct group const *g, uint32_t perjob, uint64_t number, uint32_t *end)
{
    struct target const *first = m->targets + g->at;
    stralloc sender = STRALLOC_ZERO;
    uint32_t i = g->at;
    int good = head(to, m, first, number);

    while (good && i < g->end && i - g->at < perjob && to->len < FRAME_ENOUGH &&
           attempt_together(m, first, m->targets + i))
        good = recipient(to, m, m->targets + i++, &sender);
    stralloc_free(&sender);
    *end = i;
    return good ? 1 : (errno = ENOMEM, 0);
}
