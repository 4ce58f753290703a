#include "control/route.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "control/control.h"

int
routes_read(struct routes *r, char const **which)
{
    static enum setting const settings[] = {SET_envnoathost, SET_locals, SET_virtualdomains};
    stralloc *const to[] = {&r->envnoathost, &r->locals, &r->virtualdomains};

    for (unsigned int i = 0; i < 3; i++)
        if ((i ? control_list(settings[i], to[i]) : control_line(settings[i], to[i])) == -1) {
            *which = control_path(settings[i]);
            return 0;
        }
    return 1;
}

static void
lower(char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] >= 'A' && s[i] <= 'Z')
            s[i] = (char)(s[i] + 32);
}

/* 1; 0: there is no such folder; -1 with errno: that cannot be known now. Taken for another host's, our own mail would be refused
 * for ever, or sent away. */
static int
is_mailbox_domain(char const *domain, size_t len)
{
    char path[sizeof "control/domain/" + 255] = "control/domain/";
    struct stat st;

    if (!len || len > 255 || *domain == '.' || memchr(domain, '/', len) || memchr(domain, 0, len))
        return 0;
    memcpy(path + strlen(path), domain, len);
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode);
    /* The last three: names that this file system has not. */
    return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == EINVAL || errno == EILSEQ ? 0 : -1;
}

/* virtualdomains: the whole address, then the domain, then its parents
 * (".example.org"), then everything (""). */
static char const *
virtual_prefix(stralloc const *table, char const *address, size_t len, size_t domain)
{
    char const *prefix = control_value(table, address, len);

    if (!prefix)
        prefix = control_value(table, address + domain, len - domain);
    for (size_t i = domain; !prefix && i < len; i++)
        if (address[i] == '.' && i > domain)
            prefix = control_value(table, address + i, len - i);
    return prefix ? prefix : control_value(table, "", 0);
}

/* A mailbox domain was made on purpose, while locals holds `me` by default: so it goes first. Then local domains and
 * virtualdomains, in qmail's order; an empty prefix there is its exception: that address is not virtual. */
int
route_find(struct routes const *r, char const *address, size_t len, stralloc *to, enum route *route)
{
    char const *at = memrchr(address, '@', len);
    size_t domain; /* where it begins in `to` */
    char const *prefix;
    int mailbox;

    to->len = 0;
    if (!stralloc_copyb(to, address, len))
        return 0;
    if (!at) {
        if (!stralloc_append(to, '@') || !stralloc_catb(to, r->envnoathost.s, r->envnoathost.len))
            return 0;
        domain = len + 1;
    } else
        domain = (size_t)(at - address) + 1;
    lower(to->s + domain, to->len - domain);

    mailbox = is_mailbox_domain(to->s + domain, to->len - domain);
    if (mailbox) {
        *route = ROUTE_MAILBOX;
        return mailbox == 1;
    }
    if (control_holds(&r->locals, to->s + domain, to->len - domain, 0)) {
        *route = ROUTE_LOCAL;
        return 1;
    }
    prefix = virtual_prefix(&r->virtualdomains, to->s, to->len, domain);
    *route = prefix && *prefix ? ROUTE_LOCAL : ROUTE_REMOTE;
    if (*route == ROUTE_REMOTE)
        return 1;
    return stralloc_insertb(to, 0, "-", 1) && stralloc_insertb(to, 0, prefix, strlen(prefix));
}
