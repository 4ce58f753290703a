#include "send/settings.h"

#include <errno.h>
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
    int good = routes(s);

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
    if (s->settings.read && s->clock.boot - s->settings.read < 1000)
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
