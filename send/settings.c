#include "send/settings.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

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
static enum setting const route_files[SEND_ROUTE_FILES] = {SET_me, SET_envnoathost, SET_locals, SET_virtualdomains};

static void
take_stamps(struct stat stamps[SEND_ROUTE_FILES])
{
    for (unsigned int i = 0; i < SEND_ROUTE_FILES; i++)
        if (stat(control_path(route_files[i]), stamps + i) == -1)
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

int
settings_read(struct send *s)
{
    struct settings *set = &s->settings;
    int first = !set->read;
    int good;

    take_stamps(set->stamps); /* before reading: a change meanwhile is seen next time */
    good = routes(s);

    good &= number(s, SET_queuelifetime, &set->queuelifetime);
    good &= number(s, SET_retryfirst, &set->retryfirst);
    good &= number(s, SET_retrymax, &set->retrymax);
    good &= number(s, SET_copytime, &set->copytime);
    good &= number(s, SET_rcptperjob, &set->rcptperjob);
    good &= number(s, SET_concurrency, &set->concurrency);
    good &= number(s, SET_concurrencylocal, &s->channels[CHANNEL_LOCAL].limit);
    good &= number(s, SET_concurrencyremote, &s->channels[CHANNEL_REMOTE].limit);
    set->remotes = access("control/remote", F_OK) == 0;
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

uint32_t
settings_of(struct send const *s, enum setting which, char const *domain, uint32_t fallback)
{
    uint32_t n;

    if (!s->settings.remotes || !control_uint_of(which, domain, &n))
        return fallback;
    return n;
}
