#include "smtpd/submit.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "control/users.h"
#include "lib/addr.h"
#include "smtpd/guard.h"

int
submit_read(struct submit *s, unsigned char const *present, char const **which)
{
    struct control_number const numbers[] = {{SET_checkfrom, &s->checkfrom}, {SET_hideclient, &s->hideclient}};
    struct {
        enum setting setting;
        stralloc *value;
    } const tables[] = {{SET_senders, &s->senders}, {SET_masquerade, &s->masquerade}};

    for (unsigned int i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i].value = control_rows[numbers[i].setting].number;
        *which = control_path(numbers[i].setting);
        if (present[numbers[i].setting] && !control_uint(numbers[i].setting, numbers[i].value))
            return 0;
    }
    for (unsigned int i = 0; i < sizeof tables / sizeof *tables; i++) {
        *which = control_path(tables[i].setting);
        if (present[tables[i].setting] && control_list(tables[i].setting, tables[i].value) == -1)
            return 0;
    }
    return 1;
}

/* 1 if senders names the address for that login; -1 with ENOMEM. */
static int
is_named(struct submit const *s, struct relay const *relay, stralloc const *login, char const *address, size_t len)
{
    stralloc item = STRALLOC_ZERO;
    int named = 0;

    for (size_t at = 0; !named && at < s->senders.len; at += strlen(s->senders.s + at) + 1) {
        char const *line = s->senders.s + at;
        char const *colon = strchr(line, ':');
        if (!colon || !relay_means(relay, line, (size_t)(colon - line), login->s, login->len))
            continue;
        if (!stralloc_copyb(&item, colon + 1, strlen(colon + 1) + 1))
            named = -1;
        else
            named = guard_address(&item, address, len);
    }
    stralloc_free(&item);
    return named;
}

/* Who gets mail for that address: 1 found, 0 nobody here, -1 with errno. */
static int
find(struct routes const *routes, char const *address, size_t len, struct user *user)
{
    stralloc to = STRALLOC_ZERO;
    enum route route;
    int found = -1;

    if (route_find(routes, address, len, &to, &route))
        found =
            route == ROUTE_REMOTE ? 0 : users_find(to.s, route == ROUTE_MAILBOX ? to.len : addr_at(to.s, to.len), user);
    int e = errno;
    stralloc_free(&to);
    return (errno = e, found);
}

/* 1 if the login gets the mail for that address: so an address with an extension, an alias, a whole domain can be its own. */
static int
gets_mail(struct routes const *routes, stralloc const *login, char const *address, size_t len)
{
    struct user one = USER_ZERO, other = USER_ZERO;
    int got = find(routes, login->s, login->len, &one);

    if (got == 1)
        got = find(routes, address, len, &other);
    if (got == 1)
        got = one.uid == other.uid && !strcmp(one.home, other.home);
    int e = errno;
    stralloc_free(&one.storage);
    stralloc_free(&other.storage);
    return (errno = e, got);
}

int
submit_may(struct submit const *s, struct relay const *relay, struct routes const *routes, stralloc const *login,
           char const *address, size_t len)
{
    if (!len || (len == login->len && !strncasecmp(address, login->s, len)))
        return 1;
    int named = is_named(s, relay, login, address, len);
    return named ? named : gets_mail(routes, login, address, len);
}

int
submit_masquerade(struct submit const *s, stralloc *address)
{
    size_t at = addr_at(address->s, address->len);
    char const *other;

    if (at == address->len || !s->masquerade.len)
        return 1;
    other = control_value(&s->masquerade, address->s + at + 1, address->len - at - 1);
    if (!other)
        return 1;
    address->len = at + 1;
    return stralloc_cats(address, other);
}
