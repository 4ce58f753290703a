#include "control/held.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum setting
held_sender(stralloc const *senders, stralloc const *logins, char const *sender, size_t senderlen, char const *login,
            size_t loginlen)
{
    char const *at;

    if (loginlen && control_holds(logins, login, loginlen, 0))
        return SET_holdlogins;
    if (!senderlen || !senders->len)
        return SET_count;
    if (control_holds(senders, sender, senderlen, 0))
        return SET_holdsenders;
    at = memrchr(sender, '@', senderlen);
    return at && control_holds(senders, at, senderlen - (size_t)(at - sender), 0) ? SET_holdsenders : SET_count;
}

/* 1 if some folder of control/remote/ has the setting, or may have it. */
static int
some_hold(void)
{
    stralloc names = STRALLOC_ZERO;
    int found = control_remotes(&names);

    if (found == 1) {
        found = 0;
        for (char const *s = names.s; s < names.s + names.len; s += strlen(s) + 1) {
            char path[sizeof "control/remote//hold" + 256];
            if (snprintf(path, sizeof path, "control/remote/%s/hold", s) >= (int)sizeof path || access(path, F_OK) == 0)
                found = 1;
        }
    }
    stralloc_free(&names);
    return found != 0;
}

/* Of a domain alone, or of all: as pneu-send takes it. Many recipients of one stand behind each other. Returns 1, or 0 with ENOMEM. */
static int
domain_hold(struct held *h, char const *domain, uint32_t *hold)
{
    *hold = h->domains;
    if (!h->remotes)
        return 1;
    if (!h->last.len || strcmp(h->last.s, domain) != 0) {
        h->last_hold = h->domains;
        if (control_remote(domain) && !control_uint_of(SET_hold, domain, &h->last_hold))
            h->last_hold = h->domains;
        if (!stralloc_copys(&h->last, domain) || !stralloc_0(&h->last))
            return 0;
    }
    *hold = h->last_hold;
    return 1;
}

int
held_read(struct held *h, char const **which)
{
    struct control_number const numbers[] = {
        {SET_holdlocal, &h->local},
        {SET_holdremote, &h->remote},
        {SET_hold, &h->domains},
        {SET_concurrencylocal, &h->locals_most},
        {SET_concurrencyremote, &h->remotes_most},
    };
    static enum setting const lists[] = {SET_holdsenders, SET_holdlogins};
    stralloc *const to[] = {&h->senders, &h->logins};

    for (unsigned int i = 0; i < 2; i++)
        if (control_list(lists[i], to[i]) == -1) {
            *which = control_path(lists[i]);
            return 0;
        }
    h->remotes = some_hold();
    return control_uints(numbers, sizeof numbers / sizeof *numbers, which) && routes_read(&h->routes, which);
}

int
held_recipients(struct held const *h)
{
    return h->local || h->remote || h->domains || h->remotes || !h->locals_most || !h->remotes_most;
}

int
held_recipient(struct held *h, char const *address, size_t len, enum setting *which)
{
    enum route route;
    uint32_t hold;
    char const *domain;

    *which = SET_count;
    if (!route_find(&h->routes, address, len, &h->to, &route))
        return 0;
    if (route != ROUTE_REMOTE) {
        *which = h->local ? SET_holdlocal : h->locals_most ? SET_count : SET_concurrencylocal;
        return 1;
    }
    if (h->remote || !h->remotes_most) {
        *which = h->remote ? SET_holdremote : SET_concurrencyremote;
        return 1;
    }
    if (!stralloc_0(&h->to))
        return 0;
    domain = strrchr(h->to.s, '@'); /* route_find gave it one */
    if (!domain || !domain_hold(h, domain + 1, &hold))
        return 0;
    if (hold)
        *which = SET_hold;
    return 1;
}
