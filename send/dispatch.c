#include "send/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "send/attempt.h"
#include "send/frame.h"
#include "send/message.h"
#include "send/settings.h"

#define LOCALS_PER_JOB 16
#define DEST_ENOUGH 10 /* groups that wait loaded, beside as many as may run */
#define CHANNEL_ENOUGH 100
#define WINDOW_FIRST 5    /* jobs at a time to a destination that nothing is known of */
#define BACKOFF_FIRST 100 /* milliseconds */
#define BACKOFF_MOST 10000

/* ---- destinations ---- */

static struct dest **
chain(struct send *s, int route, struct bytes name)
{
    uint32_t h = (uint32_t)route * 2654435761u;

    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.s[i]) * 16777619u;
    return s->dests + (h ^ h >> 16) % SEND_DESTS;
}

static void
park_init(struct park *p, struct dest *d, struct channel *c)
{
    p->dest = d;
    p->channel = c;
    for (unsigned int i = 0; i < LANES; i++)
        p->chains[i].first = p->chains[i].last = TABLE_NONE;
}

static int
park_empty(struct park const *p)
{
    return !p->chains[LANE_NEW].count && !p->chains[LANE_OLD].count;
}

static void
dest_limits(struct send const *s, struct dest *d)
{
    d->limit = settings_of(s, SET_concurrency, d->name, s->settings.concurrency);
    d->perjob = settings_of(s, SET_rcptperjob, d->name, s->settings.rcptperjob);
    if (!d->limit)
        d->limit = 1;
    if (!d->perjob)
        d->perjob = 1;
    d->read = s->clock.boot;
}

static void
dest_init(struct send *s, struct dest *d, int route)
{
    d->route = (uint8_t)route;
    d->channel = s->channels + (route == ROUTE_REMOTE ? CHANNEL_REMOTE : CHANNEL_LOCAL);
    park_init(&d->park, d, d->channel);
    if (route != ROUTE_REMOTE) {
        d->limit = d->window = SEND_JOBS;
        d->perjob = LOCALS_PER_JOB;
        return;
    }
    dest_limits(s, d);
    d->window = d->limit < WINDOW_FIRST ? d->limit : WINDOW_FIRST;
}

struct dest *
dispatch_dest(struct send *s, int route, struct bytes name)
{
    struct dest **at = chain(s, route, name);
    struct dest *d;

    for (d = *at; d; d = d->next)
        if (d->route == route && d->len == name.len && !memcmp(d->name, name.s, name.len)) {
            if (route == ROUTE_REMOTE && s->clock.boot - d->read >= 1000)
                dest_limits(s, d);
            return d;
        }
    d = calloc(1, sizeof *d + name.len + 1);
    if (!d)
        return 0;
    memcpy(d->name, name.s, name.len);
    d->len = name.len;
    dest_init(s, d, route);
    d->next = *at;
    *at = d;
    return d;
}

void
dispatch_idle(struct send *s, struct dest *d)
{
    struct dest **at = chain(s, d->route, (struct bytes){d->name, d->len});

    if (d->waiting || d->running || !park_empty(&d->park) || d->park.listed || d->lanes[LANE_NEW].isready ||
        d->lanes[LANE_OLD].isready)
        return;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    free(d);
}

static int
may_start(struct dest const *d)
{
    return d->running < d->window && d->running < d->limit;
}

static void
make_ready(struct dest *d)
{
    struct channel *c = d->channel;

    for (unsigned int i = 0; i < LANES; i++) {
        struct lane *l = d->lanes + i;
        if (l->isready || !l->first || !may_start(d))
            continue;
        l->isready = 1;
        l->ready = 0;
        if (c->ready[i])
            c->readylast[i]->lanes[i].ready = d;
        else
            c->ready[i] = d;
        c->readylast[i] = d;
    }
}

/* The next destination that may start a job, and the lane whose turn it is; or NULL. */
static struct dest *
take_ready(struct channel *c, unsigned int *lane)
{
    while (c->ready[LANE_NEW] || c->ready[LANE_OLD]) {
        unsigned int i = c->turn++ % LANES;
        struct dest *d = c->ready[i];
        if (!d)
            continue;
        c->ready[i] = d->lanes[i].ready;
        d->lanes[i].isready = 0;
        *lane = i;
        if (may_start(d)) /* its other lane may have had the last place */
            return d;
    }
    return 0;
}

static void
queue_group(struct group *g)
{
    struct lane *l = g->dest->lanes + (g->message->waits ? LANE_OLD : LANE_NEW);

    g->next = 0;
    if (l->first)
        l->last->next = g;
    else
        l->first = g;
    l->last = g;
}

void
dispatch_group(struct group *g)
{
    queue_group(g);
    g->dest->waiting++;
    g->dest->channel->waiting++;
    make_ready(g->dest);
}

/* ---- parking ---- */

static int
park_full(struct park const *p)
{
    struct channel const *c = p->channel;

    if (p->dest)
        return p->dest->waiting >= (p->dest->limit < c->limit ? p->dest->limit : c->limit) + DEST_ENOUGH;
    return c->waiting >= 2 * c->limit + CHANNEL_ENOUGH;
}

struct park *
dispatch_full(struct dest *d)
{
    if (park_full(&d->park))
        return &d->park;
    return park_full(&d->channel->park) ? &d->channel->park : 0;
}

void
dispatch_park(struct send *s, struct park *p, uint32_t entry)
{
    struct entry *e = s->table.entries + entry;
    unsigned int lane = e->flags & ENTRY_WAITS ? LANE_OLD : LANE_NEW;

    e->place = TABLE_PARKED;
    e->key = TABLE_NONE;
    if (p->chains[lane].count++)
        s->table.entries[p->chains[lane].last].key = entry;
    else
        p->chains[lane].first = entry;
    p->chains[lane].last = entry;
}

static void
may_give(struct send *s, struct park *p)
{
    if (park_empty(p) || p->listed || park_full(p))
        return;
    p->listed = 1;
    p->next = s->giving;
    s->giving = p;
}

static uint32_t
park_take(struct send *s, struct park *p)
{
    unsigned int lane = p->turn++ % LANES;
    uint32_t entry;

    if (!p->chains[lane].count)
        lane = !lane;
    entry = p->chains[lane].first;
    p->chains[lane].first = s->table.entries[entry].key;
    p->chains[lane].count--;
    s->table.entries[entry].place = TABLE_ACTIVE;
    return entry;
}

uint32_t
dispatch_unpark(struct send *s)
{
    struct park *p;

    while ((p = s->giving)) {
        if (!park_empty(p) && !park_full(p))
            return park_take(s, p);
        s->giving = p->next;
        p->listed = 0;
        if (p->dest)
            dispatch_idle(s, p->dest);
    }
    return TABLE_NONE;
}

/* ---- jobs ---- */

static struct running *
free_slot(struct send *s)
{
    for (unsigned int i = 0; i < SEND_JOBS; i++) {
        struct running *j = s->jobs + (s->sequence + i) % SEND_JOBS;
        if (!j->message)
            return j;
    }
    return 0;
}

static void
say_start(struct running const *j)
{
    struct message const *m = j->message;
    struct target const *t = m->targets + j->at;
    struct log l;

    log_start(&l, "start");
    log_uint(&l, "delivery", j->number);
    log_str(&l, "msg", m->id);
    log_str(&l, "channel", j->channel->name);
    log_uint(&l, "rcpts", j->end - j->at);
    log_bytes(&l, "to", m->text.s + t->to, t->len);
    log_end(&l);
}

/* Some recipients of a group are on their way; if those were its last, its destination may load the next message. */
static void
group_taken(struct send *s, struct dest *d, struct lane *l, uint32_t end)
{
    struct group *g = l->first;

    l->first = g->next;
    g->at = end;
    if (g->at < g->end)
        queue_group(g);
    else {
        d->waiting--;
        d->channel->waiting--;
        g->message->open--;
        may_give(s, &d->park);
        may_give(s, &d->channel->park);
    }
}

/* Returns 1, or 0 with errno if the channel takes no more for now. */
static int
start_job(struct send *s, struct channel *c, struct dest *d, struct lane *l)
{
    struct group *g = l->first;
    struct message *m = g->message;
    struct running *j = free_slot(s);
    stralloc frame = STRALLOC_ZERO;
    uint32_t end;
    int good;

    if (!j)
        return (errno = ENOBUFS, 0);
    j->number = s->sequence / SEND_JOBS * SEND_JOBS + (uint64_t)(j - s->jobs);
    while (j->number < s->sequence)
        j->number += SEND_JOBS;
    good = frame_job(&frame, m, g, d->perjob, j->number, &end) &&
           jobwire_put(&c->wire, (struct bytes){frame.s, frame.len}, m->fd);
    stralloc_free(&frame);
    if (!good)
        return 0;
    s->sequence = j->number + 1;
    j->message = m;
    j->dest = d;
    j->channel = c;
    j->at = g->at;
    j->end = end;
    j->good = j->bad = 0;
    s->njobs++;
    c->running++;
    d->running++;
    m->jobs++;
    say_start(j);
    group_taken(s, d, l, end);
    return 1;
}

/* What nobody answered for will be tried again, and may have been delivered. */
static void
end_job(struct send *s, struct running *j, char const *why)
{
    static char const everybody[] = "0-9999999";
    struct result r = {
        .class = 'Z', .code = {"4.3.0", 5}, .to = {everybody, sizeof everybody - 1}, .text = {why, strlen(why)}};
    struct message *m = j->message;
    struct dest *d = j->dest;
    struct channel *c = j->channel;

    for (uint32_t i = j->at; i < j->end; i++)
        if (!m->targets[i].answered) {
            m->lost = 1;
            attempt_result(s, j, &r, 1);
            break;
        }
    if (j->good && d->window < d->limit)
        d->window++;
    else if (!j->good && j->bad && d->route == ROUTE_REMOTE)
        d->window = d->window > 1 ? d->window / 2 : 1;
    j->message = 0;
    s->njobs--;
    c->running--;
    d->running--;
    m->jobs--;
    make_ready(d);
    dispatch_idle(s, d);
    message_proceed(s, m);
}

/* ---- channels ---- */

void
dispatch_init(struct channel *c, char const *name, char const *path)
{
    c->name = name;
    c->path = path;
    c->wire = (struct jobwire)JOBWIRE_ZERO;
    park_init(&c->park, 0, c);
}

static void
say_channel(struct channel const *c, char const *event, int e)
{
    struct log l;

    log_start(&l, event);
    log_str(&l, "channel", c->name);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

/* Longer each time, until a result shows that the service works. */
static void
back_off(struct send *s, struct channel *c)
{
    c->backoff = c->backoff ? c->backoff * 2 : BACKOFF_FIRST;
    if (c->backoff > BACKOFF_MOST)
        c->backoff = BACKOFF_MOST;
    c->retry = s->clock.boot + c->backoff;
}

static void
channel_down(struct send *s, struct channel *c, int e)
{
    say_channel(c, "disconnected", e);
    jobwire_free(&c->wire);
    c->up = c->full = 0;
    back_off(s, c);
    for (unsigned int i = 0; i < SEND_JOBS && c->running; i++)
        if (s->jobs[i].message && s->jobs[i].channel == c)
            end_job(s, s->jobs + i, "The delivery service ended");
}

static void
channel_connect(struct send *s, struct channel *c)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(name.sun_path, c->path, strlen(c->path));
    if (fd != -1 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0 && jobwire_init(&c->wire, fd)) {
        c->up = 1;
        c->full = 0;
        say_channel(c, "connected", 0);
        return;
    }
    if (c->backoff != BACKOFF_MOST)
        say_channel(c, "connectfailed", errno);
    if (fd != -1)
        close(fd);
    back_off(s, c);
}

/* Returns 1 if it stopped early and may go on at once. */
static int
channel_run(struct send *s, struct channel *c)
{
    struct dest *d;
    unsigned int lane;
    int sent;

    while (!s->stopping && !c->full && c->running < c->limit && (d = take_ready(c, &lane))) {
        if (!start_job(s, c, d, d->lanes + lane)) {
            c->full = 1;
            if (errno != ENOBUFS) {
                say_channel(c, "startfailed", errno);
                c->retry = s->clock.boot + 1000;
            }
        }
        make_ready(d);
    }
    sent = jobwire_flush(&c->wire);
    if (sent == -1) {
        channel_down(s, c, errno);
        return 0;
    }
    if (!c->full || !sent || s->clock.boot < c->retry)
        return 0;
    c->full = 0;
    return 1;
}

int
dispatch_run(struct send *s)
{
    int more = 0;

    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct channel *c = s->channels + i;
        if (!c->up && !s->stopping && s->clock.boot >= c->retry)
            channel_connect(s, c);
        if (c->up)
            more |= channel_run(s, c);
    }
    return more;
}

int
dispatch_wait(struct send const *s)
{
    int next = -1;

    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct channel const *c = s->channels + i;
        if ((!c->up || c->full) && c->retry > s->clock.boot) {
            int left = (int)(c->retry - s->clock.boot);
            if (next == -1 || left < next)
                next = left;
        }
    }
    return next;
}

/* ---- results ---- */

static void
say_bad(struct channel const *c, char const *why, uint64_t number)
{
    struct log l;

    log_start(&l, "badresult");
    log_str(&l, "channel", c->name);
    log_str(&l, "why", why);
    log_uint(&l, "delivery", number);
    log_end(&l);
}

void
dispatch_frame(struct send *s, struct channel *c, struct bytes frame)
{
    struct result r;
    struct running *j;

    if (!result_scan(frame, &r)) {
        say_bad(c, "malformed", 0);
        return;
    }
    j = s->jobs + r.job % SEND_JOBS;
    if (!j->message || j->number != r.job || j->channel != c) {
        say_bad(c, "no such delivery", r.job);
        return;
    }
    c->backoff = 0; /* it works */
    if (r.class)
        attempt_result(s, j, &r, 0);
    if (r.done)
        end_job(s, j, "The delivery program ended without an answer");
}

void
dispatch_results(struct send *s, struct channel *c)
{
    struct bytes frame;
    int got = jobwire_fill(&c->wire);
    int e = errno;

    if (got != 1) {
        if (got == -1)
            channel_down(s, c, e);
        return;
    }
    while ((got = jobwire_take(&c->wire, RESULT_MAX, &frame)) == 1)
        dispatch_frame(s, c, frame);
    if (got == -1)
        channel_down(s, c, errno);
}
