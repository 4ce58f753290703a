#include "control/held.h"

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

int
held_read(struct held *h, char const **which)
{
    struct control_number const numbers[] = {
        {SET_holdlocal, &h->local},
        {SET_holdremote, &h->remote},
        {SET_hold, &h->domains},
    };
    static enum setting const lists[] = {SET_holdsenders, SET_holdlogins};
    stralloc *const to[] = {&h->senders, &h->logins};

    for (unsigned int i = 0; i < 2; i++)
        if (control_list(lists[i], to[i]) == -1) {
            *which = control_path(lists[i]);
            return 0;
        }
    h->remotes = access("control/remote", F_OK) == 0;
    return control_uints(numbers, sizeof numbers / sizeof *numbers, which) && routes_read(&h->routes, which);
}

int
held_recipients(struct held const *h)
{
    return h->local || h->remote || h->domains || h->remotes;
}

int
held_recipient(struct held *h, char const *address, size_t len, enum setting *which)
{
    enum route route;
    uint32_t hold = h->domains;
    char const *domain;

    *which = SET_count;
    if (!route_find(&h->routes, address, len, &h->to, &route))
        return 0;
    if (route != ROUTE_REMOTE) {
        if (h->local)
            *which = SET_holdlocal;
        return 1;
    }
    if (h->remote) {
        *which = SET_holdremote;
        return 1;
    }
    if (!stralloc_0(&h->to))
        return 0;
    domain = strrchr(h->to.s, '@');
    if (h->remotes && domain && control_remote(domain + 1) && !control_uint_of(SET_hold, domain + 1, &hold))
        hold = h->domains; /* as pneu-send takes it */
    if (hold)
        *which = SET_hold;
    return 1;
}
