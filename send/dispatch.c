#include "send/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "send/attempt.h"
#include "send/dest.h"
#include "send/frame.h"
#include "send/message.h"
#include "send/park.h"
#include "send/settings.h"

#define BACKOFF_FIRST 10 /* milliseconds: a service that begins with us is there in the next moment */
#define BACKOFF_MOST 10000
#define RELOOK 1000 /* while something is held */

/* ---- who is next ---- */

static unsigned int
list_of(struct dest const *d, unsigned int lane)
{
    return lane == LANE_NEW && d->pace.slow ? READY_SLOW : lane;
}

/* Letters to hosts that are not known to be slow always find a free place soon: all others together do not get the
 * last quarter. */
static int
patient_full(struct channel const *c)
{
    return c->patient >= c->limit - c->limit / 4;
}

static int
is_patient(struct dest const *d, unsigned int lane)
{
    return list_of(d, lane) != LANE_NEW;
}

static void
make_ready(struct dest *d)
{
    struct channel *c = d->channel;

    for (unsigned int i = 0; i < LANES; i++) {
        struct lane *l = d->lanes + i;
        unsigned int to = list_of(d, i);
        if (l->isready || !l->first || d->blocked || !dest_may_start(d))
            continue;
        l->isready = 1;
        l->ready = 0;
        if (c->ready[to])
            c->readylast[to]->lanes[i].ready = d;
        else
            c->ready[to] = d;
        c->readylast[to] = d;
    }
}

/* Of its lanes that may be served, the one whose turn it is; LANES: none. A destination for one job at a time is asked
 * for each of its lanes in turn, too. */
static unsigned int
choose_lane(struct channel const *c, struct dest const *d)
{
    unsigned int best = LANES;

    for (unsigned int i = 0; i < LANES; i++)
        if (d->lanes[i].first && !(is_patient(d, i) && patient_full(c)) &&
            (best == LANES || d->lanes[i].served < d->lanes[best].served))
            best = i;
    return best;
}

/* Takes the first off the next list whose turn it is; NULL if no list may be served. */
static struct dest *
take_first(struct channel *c)
{
    for (unsigned int tries = 0; tries < READIES; tries++) {
        unsigned int i = c->turn++ % READIES;
        unsigned int lane = i == READY_SLOW ? LANE_NEW : i;
        struct dest *d = c->ready[i];
        if (!d || (i != LANE_NEW && patient_full(c)))
            continue;
        c->ready[i] = d->lanes[lane].ready;
        d->lanes[lane].isready = 0;
        return d;
    }
    return 0;
}

/* It left a place at its site free, or does not need the one it was given. */
static void
pass_on(struct site *site)
{
    struct dest *d;

    for (uint32_t places = site ? dest_places(site) : 0; places && (d = dest_unblock(site));) {
        make_ready(d);
        for (unsigned int i = 0; i < LANES; i++)
            if (d->lanes[i].isready) {
                places--;
                break;
            }
    }
}

/* The next destination that may start a job, and the lane whose turn it is; or NULL. */
static struct dest *
take_ready(struct send *s, struct channel *c, unsigned int *lane)
{
    struct dest *d;

    while ((d = take_first(c))) {
        *lane = choose_lane(c, d);
        if (*lane == LANES) { /* since it was listed it has become slow, or what waited there was taken away */
            make_ready(d);
            dest_idle(s, d);
            continue;
        }
        if (!dest_may_start(d))
            continue;
        if (pace_dead(&d->pace, s->clock.boot))
            return d;
        if (!dest_may_start(d))
            continue;
        if (!dest_must_wait(s, d))
            return d;
        if (!d->blocked)
            pass_on(d->site);
    }
    return 0;
}

static struct lane *
lane_of(struct group const *g)
{
    struct message const *m = g->message;

    return g->dest->lanes + (m->bulk ? LANE_BULK : m->waits ? LANE_OLD : LANE_NEW);
}

static void
queue_group(struct group *g)
{
    struct lane *l = lane_of(g);

    g->next = 0;
    if (l->first)
        l->last->next = g;
    else
        l->first = g;
    l->last = g;
}

static unsigned int
channel_number(struct dest const *d)
{
    return d->route == ROUTE_REMOTE ? CHANNEL_REMOTE : CHANNEL_LOCAL;
}

void
dispatch_group(struct group *g)
{
    queue_group(g);
    g->dest->waiting[message_chain(g->message)]++;
    if (!g->message->openat[channel_number(g->dest)]++)
        g->dest->channel->waiting[message_chain(g->message)]++;
    make_ready(g->dest);
}

static void
unqueue_group(struct group *g)
{
    struct lane *l = lane_of(g);
    struct group *before = 0;

    for (struct group *i = l->first; i != g; i = i->next)
        before = i;
    if (before)
        before->next = g->next;
    else
        l->first = g->next;
    if (l->last == g)
        l->last = before;
}

/* A group waits no longer; its destination may load the next message. */
static void
leave(struct send *s, struct group *g)
{
    struct message *m = g->message;
    struct dest *d = g->dest;

    g->dest = 0;
    d->waiting[message_chain(m)]--;
    m->open--;
    if (!--m->openat[channel_number(d)])
        d->channel->waiting[message_chain(m)]--;
    park_give(s, &d->park);
    park_give(s, &d->channel->park);
}

void
dispatch_withdraw(struct send *s, struct message *m)
{
    for (uint32_t i = 0; i < m->ngroups; i++) {
        struct dest *d = m->groups[i].dest;
        if (!d)
            continue;
        unqueue_group(m->groups + i);
        leave(s, m->groups + i);
        make_ready(d);
        dest_idle(s, d);
    }
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

/* Some recipients of a group are on their way. */
static void
group_taken(struct send *s, struct lane *l, uint32_t end)
{
    struct group *g = l->first;

    l->first = g->next;
    l->served = s->sequence;
    g->at = end;
    if (g->at < g->end)
        queue_group(g);
    else
        leave(s, g);
}

/* Returns 1, or 0 with errno if the channel takes no more for now. */
static int
start_job(struct send *s, struct channel *c, struct dest *d, unsigned int lane)
{
    struct lane *l = d->lanes + lane;
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
    j->trouble = 0;
    j->patient = is_patient(d, lane) != 0;
    j->begun = s->clock.boot;
    s->njobs++;
    c->running++;
    c->patient += j->patient;
    dest_enter(d);
    pace_begin(&d->pace, d->running, s->clock.boot);
    if (!d->pace.slow)
        (void)wake_at(&s->wakes, d, s->clock.boot + PACE_SLOW);
    m->jobs++;
    say_start(j);
    group_taken(s, l, end);
    return 1;
}

/* The recipients of a group hear at once that their host is dead: each message goes on by its own plan, and finds
 * its end when its time is over. */
static void
refuse_group(struct send *s, struct dest *d, unsigned int lane)
{
    struct group *g = d->lanes[lane].first;
    struct message *m = g->message;
    struct running j = {.message = m, .dest = d, .channel = d->channel, .at = g->at, .end = g->end};
    static char const everybody[] = "0-9999999";
    struct result r = {.class = 'Z', .code = {"4.4.1", 5}, .to = {everybody, sizeof everybody - 1}};
    char words[80 + PACE_TEXT];

    strcpy(stpcpy(words, s->clock.boot < d->pace.paused ? "Not tried, for it is left alone after its answer: "
                                                        : "Not tried, for its hosts could not be reached lately: "),
           d->pace.why);
    r.text = (struct bytes){words, strlen(words)};
    group_taken(s, d->lanes + lane, g->end);
    attempt_result(s, &j, &r, 0);
    make_ready(d);
    dest_remember(s, d);
    message_proceed(s, m);
    dest_idle(s, d);
}

/* What a job's end says of its host. */
static void
learn(struct send *s, struct running const *j)
{
    struct dest *d = j->dest;
    uint64_t took = s->clock.boot - j->begun;
    enum pace_result r = j->trouble && !j->good ? PACE_TROUBLE : j->good ? PACE_GOOD : PACE_AS_IS;

    if (d->route != ROUTE_REMOTE)
        r = PACE_AS_IS;
    pace_end(&d->pace, r, took, s->clock.boot);
    if (d->route == ROUTE_REMOTE)
        dest_remember(s, d);
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
    if (j->good && c == s->channels + CHANNEL_REMOTE)
        message_delivered(s, m);
    learn(s, j);
    j->message = 0;
    s->njobs--;
    c->running--;
    c->patient -= j->patient;
    dest_leave(d);
    m->jobs--;
    if (m->log.len && m->open && !m->jobs) /* the others may wait for long: until this is written it stays locked */
        message_dirty(s, m);
    make_ready(d);
    pass_on(d->site);
    dest_idle(s, d);
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

/* A place is taken by a job and, where another host has the message, until that is marked on disk. */
static int
has_place(struct send *s, struct channel const *c)
{
    uint32_t unmarked = c == s->channels + CHANNEL_REMOTE ? s->unmarked : 0;

    if (c->running + unmarked < c->limit)
        return 1;
    for (unsigned int i = 0; unmarked && i < READIES; i++)
        s->pressed |= c->ready[i] != 0;
    return 0;
}

/* Returns 1 if it stopped early and may go on at once. */
static int
channel_run(struct send *s, struct channel *c)
{
    struct dest *d;
    unsigned int lane;
    int sent;

    while (!s->stopping && !c->held && !c->full && has_place(s, c) && (d = take_ready(s, c, &lane))) {
        struct message *m = d->lanes[lane].first->message;
        if (!message_tighten(m)) {
            message_reload(s, m);
            continue;
        }
        if (pace_dead(&d->pace, s->clock.boot)) {
            refuse_group(s, d, lane);
            continue;
        }
        if (!start_job(s, c, d, lane)) {
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

/* The channel is held no longer. */
static void
release(struct send *s, struct channel *c)
{
    park_give(s, &c->park);
    for (unsigned int i = 0; i < SEND_DESTS; i++)
        for (struct dest *d = s->dests[i]; d; d = d->next)
            if (d->channel == c) {
                make_ready(d);
                park_give(s, &d->park);
            }
}

/* A destination whose time has come: its rate allows another one, it may be held no longer, be slow, or be forgotten. */
static void
look_again(struct send *s, struct dest *d)
{
    if (d->held && s->clock.boot - s->settings.read >= RELOOK)
        (void)settings_fresh(s);
    if (d->held)
        dest_limits(s, d);
    if (d->running)
        pace_look(&d->pace, s->clock.boot);
    if (d->running && !d->pace.slow)
        (void)wake_at(&s->wakes, d, d->pace.moved + PACE_SLOW);
    make_ready(d);
    park_give(s, &d->park);
    dest_idle(s, d);
}

int
dispatch_run(struct send *s)
{
    struct dest *d;
    int more = 0;

    while ((d = wake_due(&s->wakes, s->clock.boot)))
        look_again(s, d);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct channel *c = s->channels + i;
        if (c->washeld && !c->held)
            release(s, c);
        c->washeld = c->held;
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

    uint64_t first = wake_first(&s->wakes);

    if (first != UINT64_MAX && !s->stopping)
        next = first <= s->clock.boot              ? 0
               : first - s->clock.boot < INT32_MAX ? (int)(first - s->clock.boot)
                                                   : INT32_MAX;
    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct channel const *c = s->channels + i;
        if (c->held && (next == -1 || next > RELOOK))
            next = RELOOK;
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
    dest_served(s, j->dest, r.site);
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
