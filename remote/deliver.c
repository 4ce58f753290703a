#include "remote/deliver.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/resolver.h"
#include "lib/log.h"
#include "remote/targets.h"
#include "remote/transact.h"

/* ---- settings ---- */

int
deliver_settings_read(struct deliver_settings *s, char const *domain, enum setting *which)
{
    struct {
        enum setting which;
        uint32_t *value;
    } const numbers[] = {
        {SET_timeoutconnect, &s->timeoutconnect}, {SET_timeoutremote, &s->timeoutremote},
        {SET_timeoutidle, &s->timeoutidle},       {SET_remoteloopback, &s->remoteloopback},
        {SET_timeoutdns, &s->timeoutdns},         {SET_mailperconn, &s->mailperconn},
    };
    int got;

    for (unsigned int i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!control_uint_of(*which = numbers[i].which, domain, numbers[i].value))
            return 0;
    got = control_line_of(*which = SET_helohost, domain, &s->helohost);
    if (got != 1)
        return got ? 0 : (errno = ENOENT, 0);
    got = control_line(*which = SET_me, &s->me);
    if (got == -1 || (!got && (!stralloc_copys(&s->me, "") || !stralloc_0(&s->me))))
        return 0;
    got = control_line_of(*which = SET_fallback, domain, &s->fallback);
    if (got == -1 || (!got && !stralloc_copys(&s->fallback, "")) || !stralloc_0(&s->fallback))
        return 0;
    return control_list(*which = SET_smtproutes, &s->smtproutes) != -1;
}

int
deliver_init(struct deliver *d)
{
    return resolver_find(&d->dns) && ip_own(&d->own);
}

/* ---- hosts that did not answer lately ---- */

static void
remember_dead(struct deliver *d, struct target const *t)
{
    unsigned int i = d->ndead++ % DELIVER_DEAD;

    d->dead[i].ip = t->ip;
    d->dead[i].port = t->port;
    tain_addsec_g(&d->dead[i].until, DELIVER_DEAD_SECONDS);
}

static int
is_dead(struct deliver const *d, struct target const *t)
{
    for (unsigned int i = 0; i < DELIVER_DEAD && i < d->ndead; i++)
        if (d->dead[i].port == t->port && ip_same(&d->dead[i].ip, &t->ip) && tain_future(&d->dead[i].until))
            return 1;
    return 0;
}

/* Dead ones come last: they are no reason to skip a host that may live again, only to ask others first. */
static void
dead_last(struct deliver const *d, struct targets *all)
{
    struct targets dead = {.count = 0};
    unsigned int n = 0;

    for (unsigned int i = 0; i < all->count; i++)
        if (is_dead(d, all->list + i))
            dead.list[dead.count++] = all->list[i];
        else
            all->list[n++] = all->list[i];
    memcpy(all->list + n, dead.list, dead.count * sizeof *dead.list);
}

/* ---- a connection ---- */

static void
log_failure(struct peer const *p, struct verdict const *why)
{
    struct log l;

    log_start(&l, "host failed");
    log_str(&l, "remote", p->remote);
    log_bytes(&l, "text", why->text, why->len);
    log_end(&l);
}

static int
hello(struct peer *p, struct deliver_settings const *s, struct verdict *why)
{
    unsigned int code;

    if (!peer_puts(p, "EHLO ") || !peer_puts(p, s->helohost.s) || !peer_puts(p, "\r\n"))
        return verdict_error(why, p, "4.3.0", "cannot greet", ENOMEM), 0;
    code = transact_reply(p, s->timeoutremote, "at EHLO", why);
    if (code >= 200 && code < 300) {
        smtp_features(p->reply.text, p->reply.len, &p->features);
        return 1;
    }
    if (code >= 500) { /* a server of before 1995, or one that plays it */
        if (!peer_puts(p, "HELO ") || !peer_puts(p, s->helohost.s) || !peer_puts(p, "\r\n"))
            return verdict_error(why, p, "4.3.0", "cannot greet", ENOMEM), 0;
        code = transact_reply(p, s->timeoutremote, "at HELO", why);
        if (code >= 200 && code < 300)
            return 1;
    }
    if (code)
        verdict_reply(why, p, code);
    return 0;
}

/* Connects, and comes as far as after EHLO. Returns 1, or 0 with *why; its class is D if the host said 5xx. */
static int
open_target(struct deliver *d, struct target const *t, struct verdict *why)
{
    struct peer *p = &d->peer;
    tain deadline;
    unsigned int code;

    tain_addsec_g(&deadline, (int)d->settings.timeoutconnect);
    if (!peer_connect(p, t, &deadline)) {
        int e = errno;
        target_fmt(t, p->remote);
        remember_dead(d, t);
        verdict_error(why, p, "4.4.1", "cannot connect", e);
        return 0;
    }
    code = transact_reply(p, d->settings.timeoutremote, "before the greeting", why);
    if (code && (code < 200 || code >= 300)) {
        verdict_reply(why, p, code);
        code = 0;
    }
    if (code && hello(p, &d->settings, why))
        return 1;
    peer_quit(p);
    return 0;
}

void
deliver_quit(struct deliver *d)
{
    peer_quit(&d->peer);
    d->key.len = 0;
}

/* ---- a delivery ---- */

struct going {
    struct deliver *all;
    struct delivery *d;
    deliver_report *report;
    void *to;
};

static int
is_waiting(struct delivery const *d)
{
    return delivery_find(d, 0, RECIPIENT_WAITING) != 0;
}

/* Transactions over the open connection until nobody waits any more, or it is of no more use.
 * Returns 1 if the host only wants another connection for the rest (RFC 9422). */
static int
use(struct going *g, int reused, struct verdict *why)
{
    struct peer *p = &g->all->peer;

    while (p->fd != -1 && is_waiting(g->d)) {
        uint32_t own = g->all->settings.mailperconn;
        if ((p->features.mailmax && p->messages >= p->features.mailmax) || (own && p->messages >= own)) {
            peer_quit(p);
            return 1;
        }
        if (!transact(p, g->d, g->all->settings.timeoutremote, why) && !reused)
            log_failure(p, why);
        g->report(g->to, g->d);
    }
    return 0;
}

/* The hosts in their order. */
static void
try_targets(struct going *g, struct targets const *targets, struct verdict *why)
{
    unsigned int broken = 0;
    unsigned int never = 0;

    for (unsigned int i = 0; i < targets->count && is_waiting(g->d) && broken < DELIVER_BROKEN;) {
        if (!open_target(g->all, targets->list + i, why)) {
            log_failure(&g->all->peer, why);
            never += why->class == 'D';
            i++;
        } else if (!use(g, 0, why)) {
            broken++;
            i++;
        }
    }
    if (never < targets->count && why->class == 'D') {
        /* One host says never, another could not be asked: that may change. */
        why->class = 'Z';
        *why->code = '4';
    }
}

static int
settings_read(struct deliver *d, struct bytes domain, struct verdict *why)
{
    char name[DNS_NAME] = "";
    enum setting which;
    /* Most have no settings of single domains: one look spares a look for each setting and each folder. */
    int folders = access("control/remote", X_OK) == 0;

    for (size_t i = 0; domain.len < sizeof name && i < domain.len; i++)
        name[i] = (char)tolower((unsigned char)domain.s[i]);
    if (deliver_settings_read(&d->settings, folders ? name : 0, &which))
        return 1;
    verdict_say(why, 'Z', "4.3.5", control_path(which), ": ", strerror(errno));
    return 0;
}

/* Finds where the domain's mail goes; with its hosts, or, for the second try, the fallback's. */
static int
find(struct deliver *d, struct bytes domain, int second, struct targets *targets, struct verdict *why)
{
    struct targets_question how = {.smtproutes = &d->settings.smtproutes,
                                   .me = d->settings.me.s,
                                   .own = &d->own,
                                   .loopback = (int)d->settings.remoteloopback};
    tain deadline;

    tain_addsec_g(&deadline, (int)d->settings.timeoutdns);
    how.deadline = &deadline;
    if (second)
        return targets_host(&d->dns, d->settings.fallback.s, &how, targets, why);
    return targets_find(&d->dns, domain.s, domain.len, &how, targets, why);
}

static void
deliver_anew(struct going *g, struct bytes domain, struct verdict *why)
{
    struct targets targets;

    deliver_quit(g->all);
    *g->all->site = 0;
    if (!settings_read(g->all, domain, why))
        return;
    if (find(g->all, domain, 0, &targets, why)) {
        strcpy(g->all->site, targets.site);
        g->d->site = (struct bytes){g->all->site, strlen(g->all->site)};
        dead_last(g->all, &targets);
        try_targets(g, &targets, why);
    }
    if (!is_waiting(g->d) || why->class != 'Z' || !*g->all->settings.fallback.s)
        return;
    deliver_quit(g->all);
    *g->all->site = 0; /* what the fallback takes says nothing of the domain's hosts */
    g->d->site.len = 0;
    if (find(g->all, domain, 1, &targets, why)) {
        dead_last(g->all, &targets);
        try_targets(g, &targets, why);
    }
}

void
deliver(struct deliver *all, struct delivery *d, struct bytes domain, struct bytes key, deliver_report *report,
        void *to)
{
    struct going g = {.all = all, .d = d, .report = report, .to = to};
    struct verdict why = {.class = 'Z', .code = "4.3.0"};

    /* What happens to a connection that has waited for us is no fault of the host: another is opened. */
    if (all->peer.fd != -1 && key.len && key.len == all->key.len && !memcmp(key.s, all->key.s, key.len)) {
        d->site = (struct bytes){all->site, strlen(all->site)};
        use(&g, 1, &why);
    } else
        deliver_quit(all); /* nothing of this job may ever go to the host of another */
    if (is_waiting(d))
        deliver_anew(&g, domain, &why);
    delivery_settle_all(d, RECIPIENT_WAITING, RECIPIENT_LATER, &why);
    if (all->peer.fd == -1 || !all->settings.timeoutidle || !key.len || !stralloc_copyb(&all->key, key.s, key.len))
        deliver_quit(all);
    else
        tain_addsec_g(&all->idle, (int)all->settings.timeoutidle);
    report(to, d);
}
