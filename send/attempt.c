#include "send/attempt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

#include "control/replies.h"
#include "lib/log.h"
#include "queue/ranges.h"
#include "send/dest.h"
#include "send/dispatch.h"
#include "send/marks.h"
#include "send/message.h"
#include "send/park.h"
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

#define OWNER_MAX 64

/* The destination's name: of a user's addresses "joe-list", "joe-x" all the user, so that he has his share of the places and no
 * more. Users whose names have a '-' in them may share one. */
static struct bytes
dest_name(struct message const *m, struct target const *t, char owner[static OWNER_MAX])
{
    struct bytes key = attempt_key(m, t);
    size_t len = 0;

    if (t->route != ROUTE_LOCAL)
        return key;
    for (; len < key.len && len < OWNER_MAX && key.s[len] != '-'; len++)
        owner[len] = (char)tolower((unsigned char)key.s[len]);
    return (struct bytes){owner, len};
}

/* Local parts are no hosts' names: their case is ignored, not changed. */
static int
order_of(struct bytes left, struct bytes right)
{
    int order = strncasecmp(left.s, right.s, left.len < right.len ? left.len : right.len);

    return order || left.len == right.len ? order : left.len < right.len ? -1 : 1;
}

/* By destinations first: "joe+" stands between "joe" and "joe-x", and each may have one group. */
static int
compare(void const *x, void const *y, void *data)
{
    struct target const *a = x, *b = y;
    char first[OWNER_MAX], second[OWNER_MAX];
    int order = (int)a->route - (int)b->route;

    if (!order)
        order = order_of(dest_name(data, a, first), dest_name(data, b, second));
    if (!order)
        order = order_of(attempt_key(data, a), attempt_key(data, b));
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
    while (envelope_recipient(&cursor, &r)) {
        char status = m->file.status[index++];
        if (status == STATUS_DONE || status == STATUS_SUCCEEDED || status == STATUS_FAILED || status == STATUS_BOUNCED)
            continue;
        if (m->ntargets == m->left || !target_add(s, m, r.value, index - 1, (uint32_t)(cursor.s - m->file.envelope.s)))
            return 0;
    }
    if (m->ntargets > 1)
        qsort_r(m->targets, m->ntargets, sizeof *m->targets, compare, m);
    message_cost(s, m, m->ntargets * sizeof *m->targets + m->text.a);
    return 1;
}

/* ---- groups ---- */

#define DAY 86400
#define MANY_GROUPS 20 /* more make a message one to many */
#define MANY_TARGETS 500

/* A group ends where the next destination begins. */
static int
same_group(struct message const *m, struct target const *a, struct target const *b)
{
    char first[OWNER_MAX], second[OWNER_MAX];
    struct bytes left, right;

    if (a->route != b->route)
        return 0;
    if (a->route == ROUTE_MAILBOX)
        return 1;
    if (a->route == ROUTE_REMOTE)
        return attempt_together(m, a, b);
    left = dest_name(m, a, first);
    right = dest_name(m, b, second);
    return left.len == right.len && !memcmp(left.s, right.s, left.len);
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
        char owner[OWNER_MAX];
        struct bytes name;
        if (i && same_group(m, m->targets + i - 1, m->targets + i)) {
            g[-1].end = i + 1;
            continue;
        }
        name = dest_name(m, m->targets + i, owner);
        g->message = m;
        g->at = i;
        g->end = i + 1;
        g->dest = dest_find(s, m->targets[i].route, name);
        if (!g->dest)
            return 0;
        m->ngroups++;
    }
    message_cost(s, m, m->ngroups * (sizeof *m->groups + sizeof(struct dest)));
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
        dest_idle(s, m->groups[i].dest);
    m->ngroups = 0;
    m->soon = 1;
    m->attempt = TRY_OVER;
    message_proceed(s, m);
}

/* Hands the message over to a park; it is unloaded. */
static void
park(struct send *s, struct message *m, struct park *p)
{
    park_put(s, p, message_chain(m), m->entry); /* first: what is parked at a destination keeps it */
    for (uint32_t i = 0; i < m->ngroups; i++)
        dest_idle(s, m->groups[i].dest);
    message_unload(s, m);
}

/* ---- who is due ---- */

#define CLOSE 2 /* seconds are counted by two clocks */

static void
sooner(struct message *m, uint64_t next)
{
    if (next && (!m->again_at || next < m->again_at))
        m->again_at = next;
}

/* What the log promised each recipient: next[i] is the second of his next attempt, where that lies well ahead. */
static void
read_promises(struct send const *s, struct message const *m, struct bytes log, uint32_t *next)
{
    struct file_event e;
    uint64_t now = s->clock.wall;

    while (file_event_next(&log, &e)) {
        /* Of those that were tried together some heard later than others: three quarters of the wait are enough. */
        int ahead = e.class == 'Z' && e.time <= now && e.next > now && e.next - now <= SCHEDULE_FURTHEST &&
                    e.next - now > (e.next - e.time) / 4 + CLOSE;
        uint32_t first, last;
        if (e.class == EVENT_OPERATOR) /* who asked for an attempt, or let it go on, meant all of it */
            memset(next, 0, m->file.header.recipients * sizeof *next);
        if (e.class != 'Z')
            continue;
        while (file_range_next(&e.to, &first, &last) == 1)
            for (uint32_t i = first; i <= last && i < m->file.header.recipients; i++)
                next[i] = ahead ? (uint32_t)e.next : 0;
    }
}

/* Domains have schedules of their own: a message is loaded when the first of them is due, and the others wait on. Whoever
 * has asked for an attempt gets all of it. */
static void
put_off(struct send *s, struct message *m)
{
    stralloc log = STRALLOC_ZERO;
    uint32_t *next;
    uint32_t later = 0;

    if (m->ngroups < 2 || !m->waits || m->now || !marks_log(m, &log))
        return;
    next = calloc(m->file.header.recipients, sizeof *next);
    if (next)
        read_promises(s, m, (struct bytes){log.s, log.len}, next);
    for (uint32_t i = 0; next && i < m->ngroups; i++) {
        struct group *g = m->groups + i;
        uint32_t least = UINT32_MAX;
        for (uint32_t k = g->at; k < g->end; k++)
            if (next[m->targets[k].index] < least)
                least = next[m->targets[k].index];
        g->later = least;
        later += least != 0;
        sooner(m, least);
    }
    if (later == m->ngroups) /* the file's time came before what the log says: whose turn is first is due */
        for (uint32_t i = 0; i < m->ngroups; i++)
            if (m->groups[i].later <= m->again_at + CLOSE)
                m->groups[i].later = 0;
    m->again_at = 0;
    for (uint32_t i = 0; i < m->ngroups; i++)
        sooner(m, m->groups[i].later);
    free(next);
    stralloc_free(&log);
}

/* Where it waits if nobody who is due can be tried now; NULL: it is not parked. What is held in several places is not: it is
 * looked at now and then, for it must not miss that one of them is free. */
static struct park *
where_to_park(struct send const *s, struct message const *m)
{
    struct dest *first = m->ngroups ? m->groups->dest : 0;
    struct channel *channel = first ? first->channel : 0;
    struct park *held = 0;
    unsigned int nheld = 0;

    for (uint32_t i = 0; i < m->ngroups; i++) {
        struct dest *d = m->groups[i].dest;
        if (!d || !park_of(s, d, message_chain(m)) || m->groups[i].later)
            return 0;
        if (d->channel != channel || !channel || !channel->held)
            channel = 0;
        nheld += dest_held(d) != 0;
        if (dest_held(d))
            held = &d->park;
    }
    if (channel)
        return &channel->park;
    for (uint32_t i = 0; nheld < m->ngroups && i < m->ngroups; i++)
        if (!dest_held(m->groups[i].dest))
            return park_of(s, m->groups[i].dest, message_chain(m));
    return m->ngroups == 1 ? held : 0;
}

static void
set_dying(struct send const *s, struct message *m)
{
    uint64_t age = clock_age(&s->clock, m->arrival);

    m->dying = (uint8_t)((age > settings_lifetime(s, 0, !m->from.len) ? DYING_LOCAL : 0) |
                         (age > settings_lifetime(s, 1, !m->from.len) ? DYING_REMOTE : 0));
}

static int
is_tried(struct group const *g)
{
    return !g->later && !dest_held(g->dest);
}

static void
dispatch_all(struct send *s, struct message *m)
{
    for (uint32_t i = 0; i < m->ngroups; i++)
        m->open += is_tried(m->groups + i) != 0;
    for (uint32_t i = 0; i < m->ngroups; i++) {
        struct group *g = m->groups + i;
        if (is_tried(g)) {
            if (m->now)
                pace_revive(&g->dest->pace, s->asked);
            dispatch_group(g);
            continue;
        }
        m->kept |= dest_held(g->dest) != 0;
        dest_idle(s, g->dest);
        g->dest = 0;
    }
}

void
attempt_begin(struct send *s, struct message *m)
{
    struct park *full;

    m->attempt = TRY_UNDER_WAY;
    if (settings_fresh(s) && settings_holds(s, m->from, m->login)) {
        park(s, m, &s->senders);
        return;
    }
    if (!s->settings.read || !targets_make(s, m) || !groups_make(s, m)) {
        give_up(s, m);
        return;
    }
    m->bulk = m->ngroups > MANY_GROUPS || m->ntargets > MANY_TARGETS;
    set_dying(s, m);
    put_off(s, m);
    full = where_to_park(s, m);
    if (full) {
        park(s, m, full);
        return;
    }
    s->table.entries[m->entry].flags &= (uint8_t)~ENTRY_NOW;
    dispatch_all(s, m);
    if (m->open)
        return;
    m->attempt = TRY_OVER;
    message_proceed(s, m);
}

/* The last attempt comes when its time is over, not later. */
static uint64_t
planned(struct send const *s, struct message const *m, struct dest const *d, uint64_t wait)
{
    uint64_t age = clock_age(&s->clock, m->arrival);
    uint64_t life = settings_lifetime(s, !d || d->route == ROUTE_REMOTE, !m->from.len);

    if (age <= life && wait > life - age + 1)
        wait = life - age + 1;
    return s->clock.wall + wait;
}

static uint64_t
scheduled(struct send const *s, struct message const *m, struct dest const *d)
{
    struct schedule const *how = d ? &d->schedule : &s->settings.schedule;
    struct schedule own;

    if (settings_retry(s, m->from, &own))
        how = &own;
    return schedule_wait(how, clock_age(&s->clock, m->arrival), m->id);
}

uint64_t
attempt_next(struct send const *s, struct message const *m, struct dest const *d)
{
    return planned(s, m, d, scheduled(s, m, d));
}

/* ---- results ---- */

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
new_status(struct message const *m, struct target const *t, struct result const *r)
{
    struct bytes own = {m->file.envelope.s + t->record, m->file.envelope.len - t->record};

    if (r->class == 'Z')
        return STATUS_TODO;
    if (r->class == 'K')
        return !r->dsn && envelope_notify(own, "SUCCESS", 0) && m->from.len ? STATUS_SUCCEEDED : STATUS_DONE;
    return envelope_notify(own, "FAILURE", 1) ? STATUS_FAILED : STATUS_DONE;
}

/* Answers those of the ranges that are open, writes their numbers. Returns how many. */
static uint32_t
answer(struct send *s, struct running *j, struct result const *r, stralloc *numbers)
{
    struct message *m = j->message;
    struct bytes ranges = r->to;
    struct ranges folded = RANGES_ZERO;
    uint32_t first, last, before = 0, n = 0;

    while (file_range_next(&ranges, &first, &last) == 1) {
        for (uint32_t i = lower_bound(m, j, first); i < j->end && m->targets[i].index <= last; i++) {
            struct target *t = m->targets + i;
            char status;
            if (t->answered)
                continue;
            t->answered = 1;
            status = new_status(m, t, r);
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
say(struct send *s, struct running const *j, struct result const *r, enum reply_action rule, uint32_t n,
    stralloc const *numbers)
{
    struct message const *m = j->message;
    struct log l;

    log_start(&l, "result");
    log_uint(&l, "delivery", j->number);
    log_str(&l, "msg", m->id);
    log_bytes(&l, "class", &r->class, 1);
    if (rule)
        log_str(&l, "rule", replies_word(rule));
    log_bytes(&l, "code", r->code.s, r->code.len);
    log_uint(&l, "rcpts", n);
    log_bytes(&l, "to", numbers->s, numbers->len < 100 ? numbers->len : 100);
    log_bytes(&l, "remote", r->remote.s, r->remote.len < 200 ? r->remote.len : 200);
    log_uint(&l, "delay", clock_age(&s->clock, m->arrival));
    log_bytes(&l, "text", r->text.s, r->text.len);
    log_end(&l);
}

/* 0: nobody was asked, for the host is dead. */
static int
is_job(struct running const *j)
{
    return j->number != 0;
}

/* 1 if it tells of the host, not of a recipient or of the message: it could not be reached, or wants less. */
static int
is_trouble(struct result const *r)
{
    static char const *const codes[] = {"4.4.1", "4.4.2", "4.4.3", "4.4.5", "4.3.2", "4.5.0"};

    if (r->class != 'Z')
        return 0;
    if (r->text.len >= 3 && !memcmp(r->text.s, "421", 3))
        return 1;
    for (unsigned int i = 0; i < sizeof codes / sizeof *codes; i++)
        if (r->code.len == 5 && !memcmp(r->code.s, codes[i], 5))
            return 1;
    return 0;
}

/* ---- the operator's rules ---- */

static struct reply_rule
rule_for(struct send const *s, struct running const *j, struct result const *r, int lost)
{
    stralloc own = STRALLOC_ZERO;
    struct reply_rule rule = {.action = REPLY_AS_IS};

    if (r->class != 'K' && !lost && is_job(j) && j->dest->route == ROUTE_REMOTE)
        rule = replies_find(settings_replies(s, j->dest->name, &own), r->text.s, r->text.len);
    rule.pattern = 0; /* it goes with the rules */
    stralloc_free(&own);
    return rule;
}

/* The next attempt of those who got that answer. */
static uint64_t
next_by_rule(struct send const *s, struct running const *j, struct reply_rule const *rule)
{
    uint64_t wait = scheduled(s, j->message, j->dest);

    if (rule->action == REPLY_RETRY || (rule->action == REPLY_PAUSE && wait < rule->seconds))
        wait = rule->seconds < DAY ? rule->seconds : DAY;
    return planned(s, j->message, j->dest, wait);
}

/* The host did its work, whatever becomes of the message: that its time is over says nothing of the host. */
static int
is_good(struct result const *r, struct reply_rule const *rule)
{
    return r->class != 'Z' && (rule->action == REPLY_AS_IS || rule->action == REPLY_RETURN);
}

/* What the answer says of the host. */
static void
note_host(struct send const *s, struct running *j, struct result const *r, struct reply_rule const *rule)
{
    struct pace *p = &j->dest->pace;

    if (!is_trouble(r) && rule->action != REPLY_SLOW && rule->action != REPLY_PAUSE)
        return;
    pace_note(p, r->text.s, r->text.len);
    if (rule->action == REPLY_PAUSE)
        pace_pause(p, (uint64_t)rule->seconds * 1000, s->clock.boot);
    else
        j->trouble = 1;
}

/* ---- one result ---- */

#define EXPIRED "It was tried for too long. The last answer: "

/* Memory of what is said in place of a result. */
struct said {
    char code[16];
    stralloc text;
};

/* The result as it counts: by the operator's rule, and by the message's age. */
static struct result
judge(struct running const *j, struct result const *r, struct reply_rule const *rule, int lost, struct said *said)
{
    struct result now = *r;
    uint8_t route = j->dest->route == ROUTE_REMOTE ? DYING_REMOTE : DYING_LOCAL;

    if (rule->action != REPLY_AS_IS)
        now.class = rule->action == REPLY_RETURN ? 'D' : 'Z';
    if (now.class != r->class && r->code.len && r->code.len < sizeof said->code) {
        memcpy(said->code, r->code.s, r->code.len);
        *said->code = now.class == 'D' ? '5' : '4';
        now.code.s = said->code;
    }
    if (now.class == 'Z' && (j->message->dying & route) && !lost && stralloc_cats(&said->text, EXPIRED) &&
        stralloc_catb(&said->text, r->text.s, r->text.len)) {
        now.class = 'D';
        now.code = (struct bytes){"5.4.7", 5};
        now.text = (struct bytes){said->text.s, said->text.len};
    }
    return now;
}

void
attempt_result(struct send *s, struct running *j, struct result const *r, int lost)
{
    struct message *m = j->message;
    struct said said = {.text = STRALLOC_ZERO};
    stralloc numbers = STRALLOC_ZERO;
    struct reply_rule rule = rule_for(s, j, r, lost);
    struct result now = judge(j, r, &rule, lost, &said);
    uint32_t n = answer(s, j, &now, &numbers);

    if (n && !lost && is_job(j))
        note_host(s, j, r, &rule);
    if (n) {
        struct file_event e = {.time = s->clock.wall,
                               .class = now.class,
                               .code = now.code,
                               .remote = now.remote,
                               .text = now.text,
                               .to = {numbers.s, numbers.len}};
        if (now.class == 'Z') {
            e.next = next_by_rule(s, j, &rule);
            sooner(m, e.next);
        }
        if (is_good(r, &rule))
            j->good += n;
        else
            j->bad += n;
        (void)file_event_put(&m->log, &e);
        say(s, j, &now, rule.action, n, &numbers);
    }
    stralloc_free(&numbers);
    stralloc_free(&said.text);
}
