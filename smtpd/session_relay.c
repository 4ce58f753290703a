#include <string.h>

#include "smtpd/session_inner.h"

/* "relay=yes login=joe file=control/relayusers line=3": who decided. */
static void
put_reason(struct session *s, struct log *l, struct relay_reason const *why)
{
    stralloc file = STRALLOC_ZERO;
    uint32_t line;

    log_str(l, "relay", why->verdict == RELAY_YES ? "yes" : why->verdict == RELAY_NO ? "no" : "later");
    if (s->login.len)
        log_bytes(l, "login", s->login.s, s->login.len);
    if (relay_where(why, &file, &line)) {
        log_str(l, "file", file.s);
        if (line)
            log_uint(l, "line", line);
    }
    stralloc_free(&file);
}

static int
same_reason(struct relay_reason const *a, struct relay_reason const *b)
{
    return a->verdict == b->verdict && a->rule == b->rule && a->setting == b->setting && a->item == b->item;
}

/* A session that relays for one reason all the time says so once. */
static void
log_yes(struct session *s, struct bytes to, struct relay_reason const *why)
{
    struct log l;

    if (same_reason(&s->relayed, why))
        return;
    s->relayed = *why;
    session_log_line(s, &l, "relay");
    log_bytes(&l, "to", to.s, to.len);
    put_reason(s, &l, why);
    s->queue->log(&l);
}

void
session_log_recipient(struct session *s, struct bytes to, struct relay_reason const *why, char const *refusal)
{
    struct log l;

    if (!refusal) {
        if (why->verdict == RELAY_YES)
            log_yes(s, to, why);
        return;
    }
    session_log_line(s, &l, "recipient");
    if (to.len)
        log_bytes(&l, "to", to.s, to.len);
    session_log_reply(&l, refusal);
    if (why->verdict == RELAY_NO || why->verdict == RELAY_LATER)
        put_reason(s, &l, why);
    s->queue->log(&l);
}
