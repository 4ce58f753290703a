#include "queue/parts.h"

#include <time.h>

#include "queue/envelope.h"
#include "queue/exits.h"
#include "queue/receive.h"

void
parts_begin(struct parts *p, int trusted)
{
    p->trusted = trusted;
    p->head.len = p->tail.len = 0;
}

static int
one_of(struct record const *r, char const *const *names)
{
    for (; *names; names++)
        if (record_is(r, *names))
            return 1;
    return 0;
}

/* Records of the intake itself are not stored, those that we write are not the client's, those of a job would mislead a
 * deliverer. */
static int
kept(struct parts const *p, struct record const *r)
{
    static char const *const never[] = {"size", "ask",  "token",  "time",   "uid",   "job",   "transport",
                                        "key",  "id",   "offset", "length", "again", "index", "user",
                                        "home", "dash", "ext",    "local",  0};
    static char const *const trusted[] = {"client", "login", "origin", "listener", 0};

    return !one_of(r, never) && (p->trusted || !one_of(r, trusted));
}

int
parts_add(struct parts *p, struct bytes records)
{
    struct record r;
    int recipient = 0;

    for (;;) {
        char const *begin = records.s;
        int got = envelope_next(&records, &r);
        if (got != 1)
            return got == 0 ? 1 : -1;
        recipient = recipient || record_is(&r, "to");
        if (kept(p, &r) && !stralloc_catb(recipient ? &p->tail : &p->head, begin, (size_t)(records.s - begin)))
            return 0;
    }
}

int
parts_join(struct parts *p, uint64_t uid, struct bytes *envelope)
{
    if (!envelope_putuint(&p->head, "time", (uint64_t)time(0)) || !envelope_putuint(&p->head, "uid", uid) ||
        (p->tail.len && !stralloc_catb(&p->head, p->tail.s, p->tail.len)))
        return 0;
    envelope->s = p->head.s;
    envelope->len = p->head.len;
    return 1;
}

void
parts_blame(struct bytes envelope, struct intake_answer *a)
{
    struct record r;

    while (envelope_next(&envelope, &r) == 1) {
        if (!record_is(&r, "from") && !record_is(&r, "to"))
            continue;
        if (r.value.len > ENVELOPE_ADDRESS_MAX) {
            receive_answer(a, 'D', QUEUE_LONG, "5.1.3 an address is too long");
            return;
        }
        if (!envelope_address(r.value.s, r.value.len)) {
            receive_answer(a, 'D', QUEUE_REFUSED, "5.1.3 an address has control characters");
            return;
        }
    }
    receive_answer(a, 'Z', QUEUE_FORMAT, "4.5.2 malformed envelope");
}

uint64_t
parts_number(struct bytes records, char const *name, uint64_t otherwise)
{
    struct record r = {.namelen = 0};
    uint64_t n;

    return envelope_find(records, name, &r.value) == 1 && record_uint(&r, &n) ? n : otherwise;
}
