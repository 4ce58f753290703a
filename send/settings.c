#include "send/settings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/held.h"
#include "lib/log.h"
#include "lib/span.h"
#include "send/park.h"

static void
complain(struct send *s, char const *path)
{
    struct log l;

    if (s->settings.broken)
        return;
    s->settings.broken = 1;
    log_start(&l, "setting");
    log_str(&l, "file", path);
    log_errno(&l, errno);
    log_end(&l);
}

static int
number(struct send *s, enum setting which, uint32_t *to)
{
    uint32_t n;

    if (!control_uint(which, &n)) {
        complain(s, control_path(which));
        return 0;
    }
    *to = n;
    return 1;
}

/* What routes_read reads. pneu-smtpd asks the same files for each connection: mail that it took by a setting that has
 * just changed must not go by the old one, so no second is let pass here. */
static enum setting const route_files[SEND_ROUTE_FILES - 1] = {SET_me, SET_envnoathost, SET_locals, SET_virtualdomains};

static void
take_stamps(struct stat stamps[SEND_ROUTE_FILES])
{
    for (unsigned int i = 0; i < SEND_ROUTE_FILES; i++)
        if (stat(i < SEND_ROUTE_FILES - 1 ? control_path(route_files[i]) : "control/remote", stamps + i) == -1)
            stamps[i] = (struct stat){0};
}

static int
routes_changed(struct settings const *set)
{
    struct stat now[SEND_ROUTE_FILES];

    take_stamps(now);
    for (unsigned int i = 0; i < SEND_ROUTE_FILES; i++)
        if (now[i].st_ino != set->stamps[i].st_ino || now[i].st_size != set->stamps[i].st_size ||
            now[i].st_mtim.tv_sec != set->stamps[i].st_mtim.tv_sec ||
            now[i].st_mtim.tv_nsec != set->stamps[i].st_mtim.tv_nsec)
            return 1;
    return 0;
}

/* A half-written or malformed file must not change where mail goes: the tables are replaced only as a whole. */
static int
routes(struct send *s)
{
    struct routes fresh = ROUTES_ZERO;
    char const *which;
    int good = routes_read(&fresh, &which);

    if (good) {
        struct routes old = s->settings.routes;
        s->settings.routes = fresh;
        fresh = old;
    } else
        complain(s, which);
    stralloc_free(&fresh.envnoathost);
    stralloc_free(&fresh.locals);
    stralloc_free(&fresh.virtualdomains);
    return good;
}

static int
schedule(struct send *s)
{
    struct schedule *all = &s->settings.schedule;
    uint32_t waits[SCHEDULE_WAITS];
    int n = control_spans_of(SET_retry, 0, waits, SCHEDULE_WAITS);

    if (n == -1)
        complain(s, control_path(SET_retry));
    else {
        memcpy(all->waits, waits, sizeof waits);
        all->count = (unsigned int)n;
    }
    return (n != -1) & number(s, SET_retryfirst, &all->first) & number(s, SET_retrymax, &all->most) &
           number(s, SET_retryjitter, &all->jitter);
}

static int
notices(struct send *s)
{
    uint32_t ages[SEND_NOTICES];
    int n = control_spans_of(SET_delaynotice, 0, ages, SEND_NOTICES);

    if (n == -1) {
        complain(s, control_path(SET_delaynotice));
        return 0;
    }
    if (!number(s, SET_delaynoticeall, &s->settings.noticeall))
        return 0;
    s->settings.nnotices = 0;
    for (int i = 0; i < n; i++)
        if (ages[i])
            s->settings.notices[s->settings.nnotices++] = ages[i];
    return 1;
}

static int
rate(struct send *s)
{
    uint32_t n, time;

    if (!control_rate_of(SET_rate, 0, &n, &time)) {
        complain(s, control_path(SET_rate));
        return 0;
    }
    s->settings.ratenumber = n;
    s->settings.ratetime = time;
    return 1;
}

/* Returns 1; 0 if it cannot be read, and stays as it was. */
static int
list(struct send *s, enum setting which, stralloc *old, int *changed)
{
    stralloc now = STRALLOC_ZERO;

    if (control_list(which, &now) == -1) {
        complain(s, control_path(which));
        stralloc_free(&now);
        return 0;
    }
    *changed = now.len != old->len || (now.len && memcmp(now.s, old->s, now.len) != 0);
    stralloc_free(old);
    *old = now;
    return 1;
}

/* Messages of those who are held no more, or who are not held yet, are looked at again. */
static int
lists(struct send *s)
{
    static enum setting const which[SEND_LISTS] = {SET_holdsenders, SET_holdlogins, SET_retrysenders, SET_replies};
    int good = 1, changed;

    for (unsigned int i = 0; i < SEND_LISTS; i++)
        if (!list(s, which[i], s->settings.lists + i, &changed))
            good = 0;
        else if (changed && i <= LIST_HOLDLOGINS)
            park_release(s);
    return good;
}

static int
holds(struct send *s)
{
    static enum setting const which[CHANNELS] = {SET_holdlocal, SET_holdremote};
    uint32_t held;
    int good = 1;

    for (unsigned int i = 0; i < CHANNELS; i++) {
        int read = number(s, which[i], &held);
        if (read)
            s->channels[i].held = held != 0;
        good &= read;
    }
    return good;
}

int
settings_read(struct send *s)
{
    struct settings *set = &s->settings;
    int first = !set->read;
    int good;

    take_stamps(set->stamps); /* before reading: a change meanwhile is seen next time */
    good = routes(s);

    good &= number(s, SET_queuelifetime, &set->queuelifetime);
    good &= number(s, SET_queuelifetimelocal, &set->queuelifetimelocal);
    good &= number(s, SET_bouncelifetime, &set->bouncelifetime);
    good &= schedule(s) & notices(s) & rate(s) & holds(s) & lists(s);
    good &= number(s, SET_copytime, &set->copytime);
    good &= number(s, SET_rcptperjob, &set->rcptperjob);
    good &= number(s, SET_concurrency, &set->concurrency);
    good &= number(s, SET_concurrencysite, &set->concurrencysite);
    good &= number(s, SET_concurrencyuser, &set->concurrencyuser);
    good &= number(s, SET_deadtime, &set->deadtime);
    good &= number(s, SET_hold, &set->hold);
    good &= number(s, SET_concurrencylocal, &s->channels[CHANNEL_LOCAL].limit);
    good &= number(s, SET_concurrencyremote, &s->channels[CHANNEL_REMOTE].limit);
    set->remotes = control_remotes(&set->remotenames);
    if (good)
        set->broken = 0;
    if (!good && first)
        return 0;
    set->read = s->clock.boot ? s->clock.boot : 1;
    return 1;
}

int
settings_fresh(struct send *s)
{
    if (s->settings.read && s->clock.boot - s->settings.read < 1000 && !routes_changed(&s->settings))
        return 1;
    return settings_read(s);
}

/* May something be set for this domain alone? */
static int
differs(struct settings const *set, char const *domain)
{
    return set->remotes == 1 ? control_remote_in(&set->remotenames, domain) : set->remotes && control_remote(domain);
}

/* A value of this domain alone that cannot be read: that of all. */
static uint32_t
one(enum setting which, char const *domain, uint32_t fallback)
{
    uint32_t n;

    return control_uint_of(which, domain, &n) ? n : fallback;
}

void
settings_dest(struct send const *s, char const *domain, struct settings_dest *to)
{
    struct settings const *all = &s->settings;
    uint32_t waits[SCHEDULE_WAITS], ratenumber, ratetime;
    int n;

    *to = (struct settings_dest){.concurrency = all->concurrency,
                                 .rcptperjob = all->rcptperjob,
                                 .deadtime = all->deadtime,
                                 .hold = all->hold,
                                 .ratenumber = all->ratenumber,
                                 .ratetime = all->ratetime,
                                 .schedule = all->schedule};
    if (differs(all, domain)) {
        to->concurrency = one(SET_concurrency, domain, all->concurrency);
        to->rcptperjob = one(SET_rcptperjob, domain, all->rcptperjob);
        to->deadtime = one(SET_deadtime, domain, all->deadtime);
        to->hold = one(SET_hold, domain, all->hold);
        n = control_spans_of(SET_retry, domain, waits, SCHEDULE_WAITS);
        if (n != -1) {
            to->schedule.count = (unsigned int)n;
            memcpy(to->schedule.waits, waits, sizeof waits);
        }
        if (control_rate_of(SET_rate, domain, &ratenumber, &ratetime)) {
            to->ratenumber = ratenumber;
            to->ratetime = ratetime;
        }
    }
    if (!to->concurrency)
        to->concurrency = 1;
    if (!to->rcptperjob)
        to->rcptperjob = 1;
}

uint32_t
settings_site(struct send const *s, char const *host)
{
    if (!differs(&s->settings, host))
        return s->settings.concurrencysite;
    return one(SET_concurrencysite, host, s->settings.concurrencysite);
}

uint32_t
settings_lifetime(struct send const *s, int remote, int report)
{
    struct settings const *all = &s->settings;

    if (report && all->bouncelifetime)
        return all->bouncelifetime;
    return !remote && all->queuelifetimelocal ? all->queuelifetimelocal : all->queuelifetime;
}

static char const *
domain_of(struct bytes address)
{
    return address.len ? memrchr(address.s, '@', address.len) : 0;
}

int
settings_holds(struct send const *s, struct bytes sender, struct bytes login)
{
    stralloc const *lists = s->settings.lists;

    return held_sender(lists + LIST_HOLDSENDERS, lists + LIST_HOLDLOGINS, sender.s, sender.len, login.s, login.len) !=
           SET_count;
}

int
settings_retry(struct send const *s, struct bytes sender, struct schedule *to)
{
    stralloc const *table = s->settings.lists + LIST_RETRYSENDERS;
    char const *at = domain_of(sender);
    char const *times = table->len ? control_value(table, sender.len ? sender.s : "", sender.len) : 0;
    uint32_t waits[SCHEDULE_WAITS];

    if (!times && table->len && at)
        times = control_value(table, at, sender.len - (size_t)(at - sender.s));
    int n = times ? span_list(times, strlen(times), waits, SCHEDULE_WAITS) : 0;
    if (n <= 0)
        return 0;
    *to = s->settings.schedule;
    to->count = (unsigned int)n;
    memcpy(to->waits, waits, sizeof waits);
    return 1;
}

stralloc const *
settings_replies(struct send const *s, char const *domain, stralloc *own)
{
    return differs(&s->settings, domain) && control_list_of(SET_replies, domain, own) != -1
               ? own
               : s->settings.lists + LIST_REPLIES;
}
