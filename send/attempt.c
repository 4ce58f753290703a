#include "send/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

#include "lib/log.h"
#include "send/dispatch.h"
#include "send/message.h"
#include "send/ranges.h"
#include "send/settings.h"

/* ---- targets ---- */

struct bytes
attempt_key(struct message const *m, struct target const *t)
{
    struct bytes to = {m->text.s + t->to, t->len};
    char const *at = memrchr(to.s, '@', to.len);

    if (t->route == ROUTE_MAILBOX)
        to.len = 0;
    else if (at && t->route == ROUTE_LOCAL)
        to.len = (size_t)(at - to.s);
    else if (at) {
        to.len -= (size_t)(at - to.s) + 1;
        to.s = at + 1;
    }
    return to;
}

/* Local parts are no hosts' names: their case is ignored, not changed. */
static int
compare(void const *x, void const *y, void *data)
{
    struct target const *a = x, *b = y;
    struct bytes left = attempt_key(data, a), right = attempt_key(data, b);
    size_t least = left.len < right.len ? left.len : right.len;
    int order = (int)a->route - (int)b->route;

    if (!order)
        order = strncasecmp(left.s, right.s, least);
    if (!order && left.len != right.len)
        order = left.len < right.len ? -1 : 1;
    if (!order)
        order = a->index < b->index ? -1 : 1;
    return order;
}

int
attempt_together(struct message const *m, struct target const *a, struct target const *b)
{
    struct bytes left = attempt_key(m, a), right = attempt_key(m, b);

    return a->route == b->route && left.len == right.len && !strncasecmp(left.s, right.s, left.len);
}

static int
target_add(struct send *s, struct message *m, struct bytes address, uint32_t index, uint32_t record)
{
    stralloc to = STRALLOC_ZERO;
    enum route route;
    struct target *t = m->targets + m->ntargets;
    int good = route_find(&s->settings.routes, address.s, address.len, &to, &route) && to.len <= ENVELOPE_VALUE_MAX &&
               m->text.len + to.len <= UINT32_MAX && stralloc_readyplus(&m->text, to.len);

    if (good) {
        *t = (struct target){.index = index,
                             .record = record,
                             .to = (uint32_t)m->text.len,
                             .len = (uint16_t)to.len,
                             .route = (uint8_t)route};
        (void)stralloc_catb(&m->text, to.s, to.len);
        m->ntargets++;
    }
    stralloc_free(&to);
    return good;
}

static int
targets_make(struct send *s, struct message *m)
{
    struct bytes cursor = m->file.envelope;
    struct record r;
    uint32_t index = 0;

    m->targets = calloc(m->left, sizeof *m->targets);
    if (!m->targets)
        return 0;
    while (envelope_next(&cursor, &r) == 1) {
        char status;
        if (!record_is(&r, "to"))
            continue;
        status = m->file.status[index++];
        if (status == STATUS_DONE || status == STATUS_FAILED || status == STATUS_BOUNCED)
            continue;
        if (m->ntargets == m->left || !target_add(s, m, r.value, index - 1, (uint32_t)(cursor.s - m->file.envelope.s)))
            return 0;
    }
    if (m->ntargets > 1)
        qsort_r(m->targets, m->ntargets, sizeof *m->targets, compare, m);
    s->memory += m->ntargets * sizeof *m->targets + m->text.a;
    m->cost += m->ntargets * sizeof *m->targets + m->text.a;
    return 1;
}

/* ---- groups ---- */

/* A group ends where the next destination begins: of the local ones, that is another of the two routes. */
static int
same_group(struct message const *m, struct target const *a, struct target const *b)
{
    return a->route == b->route && (a->route != ROUTE_REMOTE || attempt_together(m, a, b));
}

static int
groups_make(struct send *s, struct message *m)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->ntargets; i++)
        n += !i || !same_group(m, m->targets + i - 1, m->targets + i);
    m->groups = calloc(n ? n : 1, sizeof *m->groups);
    if (!m->groups)
        return 0;
    for (uint32_t i = 0; i < m->ntargets; i++) {
        struct group *g = m->groups + m->ngroups;
        struct bytes key = attempt_key(m, m->targets + i);
        if (i && same_group(m, m->targets + i - 1, m->targets + i)) {
            g[-1].end = i + 1;
            continue;
        }
        if (m->targets[i].route == ROUTE_LOCAL)
            key.len = 0;
        g->message = m;
        g->at = i;
        g->end = i + 1;
        g->dest = dispatch_dest(s, m->targets[i].route, key);
        if (!g->dest)
            return 0;
        m->ngroups++;
    }
    return 1;
}

/* Nothing was tried, and nothing is written: look again when there is memory, or a setting that can be read. */
static void
give_up(struct send *s, struct message *m)
{
    struct log l;

    log_start(&l, "notried");
    log_str(&l, "msg", m->id);
    log_errno(&l, errno);
    log_end(&l);
    for (uint32_t i = 0; i < m->ngroups; i++)
        dispatch_idle(s, m->groups[i].dest);
    m->ngroups = 0;
    m->soon = 1;
    m->attempt = TRY_OVER;
    message_proceed(s, m);
}

static void
park(struct send *s, struct message *m, struct park *p)
{
    uint32_t entry = m->entry;

    message_unload(s, m);
    dispatch_park(s, p, entry);
}

void
attempt_begin(struct send *s, struct message *m)
{
    struct park *full = 0;

    m->attempt = TRY_UNDER_WAY;
    if (!settings_fresh(s) || !targets_make(s, m) || !groups_make(s, m)) {
        give_up(s, m);
        return;
    }
    m->dying = clock_age(&s->clock, m->arrival) > s->settings.queuelifetime;
    for (uint32_t i = 0; i < m->ngroups; i++) {
        struct park *p = dispatch_full(m->groups[i].dest);
        if (!p) {
            full = 0;
            break;
        }
        if (!full)
            full = p;
    }
    if (full) {
        for (uint32_t i = 0; i < m->ngroups; i++)
            dispatch_idle(s, m->groups[i].dest);
        park(s, m, full);
        return;
    }
    m->open = m->ngroups;
    for (uint32_t i = 0; i < m->ngroups; i++)
        dispatch_group(m->groups + i);
}

/* ---- results ---- */

int
attempt_wants_report(struct bytes envelope, uint32_t record)
{
    struct bytes cursor = {envelope.s + record, envelope.len - record};
    struct record r;

    while (envelope_next(&cursor, &r) == 1 && !record_is(&r, "to"))
        if (record_is(&r, "notify"))
            return memmem(r.value.s, r.value.len, "FAILURE", 7) != 0;
    return 1;
}

/* The first target of the job whose index is at least n. */
static uint32_t
lower_bound(struct message const *m, struct running const *j, uint32_t n)
{
    uint32_t low = j->at, high = j->end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->targets[middle].index < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static char
new_status(struct message const *m, struct target const *t, char class)
{
    if (class == 'K')
        return STATUS_DONE;
    if (class == 'Z')
        return STATUS_TODO;
    return attempt_wants_report(m->file.envelope, t->record) ? STATUS_FAILED : STATUS_DONE;
}

/* Answers those of the ranges that are open, writes their numbers. Returns how many. */
static uint32_t
answer(struct send *s, struct message *m, struct running *j, struct bytes ranges, char class, stralloc *numbers)
{
    struct ranges folded = RANGES_ZERO;
    uint32_t first, last, before = 0, n = 0;

    while (file_range_next(&ranges, &first, &last) == 1) {
        for (uint32_t i = lower_bound(m, j, first); i < j->end && m->targets[i].index <= last; i++) {
            struct target *t = m->targets + i;
            char status;
            if (t->answered)
                continue;
            t->answered = 1;
            status = new_status(m, t, class);
            if (status != STATUS_TODO)
                message_mark(s, m, t->index, status);
            if (n++ && t->index < before) /* they came out of order: a range ends here */
                (void)ranges_end(&folded, numbers);
            before = t->index;
            (void)ranges_add(&folded, numbers, t->index);
        }
    }
    (void)ranges_end(&folded, numbers);
    return n;
}

static void
say(struct send *s, struct running const *j, struct result const *r, char class, uint32_t n, stralloc const *numbers)
{
    struct message const *m = j->message;
    struct log l;

    log_start(&l, "result");
    log_uint(&l, "delivery", j->number);
    log_str(&l, "msg", m->id);
    log_bytes(&l, "class", &class, 1);
    log_bytes(&l, "code", r->code.s, r->code.len);
    log_uint(&l, "rcpts", n);
    log_bytes(&l, "to", numbers->s, numbers->len < 100 ? numbers->len : 100);
    log_bytes(&l, "remote", r->remote.s, r->remote.len < 200 ? r->remote.len : 200);
    log_uint(&l, "delay", clock_age(&s->clock, m->arrival));
    log_bytes(&l, "text", r->text.s, r->text.len);
    log_end(&l);
}

#define EXPIRED "It was tried for too long. The last answer: "

void
attempt_result(struct send *s, struct running *j, struct result const *r, int lost)
{
    struct message *m = j->message;
    struct result said = *r;
    stralloc numbers = STRALLOC_ZERO, text = STRALLOC_ZERO;
    char class = r->class;
    uint32_t n;

    if (class == 'Z' && m->dying && !lost && stralloc_cats(&text, EXPIRED) &&
        stralloc_catb(&text, r->text.s, r->text.len)) {
        class = 'D';
        said.code = (struct bytes){"5.4.7", 5};
        said.text = (struct bytes){text.s, text.len};
    }
    n = answer(s, m, j, r->to, class, &numbers);
    if (n) {
        struct file_event e = {.time = s->clock.wall,
                               .class = class,
                               .code = said.code,
                               .remote = said.remote,
                               .text = said.text,
                               .to = {numbers.s, numbers.len}};
        if (class == 'Z') {
            m->again_at = e.next = message_next(s, m);
            j->bad += n;
        } else
            j->good += n;
        (void)file_event_put(&m->log, &e);
        say(s, j, &said, class, n, &numbers);
    }
    stralloc_free(&numbers);
    stralloc_free(&text);
}
