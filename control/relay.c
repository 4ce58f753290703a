#include "control/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <skalibs/djbunix.h>

#include "control/place.h"
#include "lib/addr.h"

#define COUNTED_MAX 1048576 /* bytes of a file whose lines are counted for the log */

int
relay_read(struct relay *r, unsigned char const *present, char const **which)
{
    struct {
        enum setting setting;
        stralloc *value;
        int *has;
    } const lists[] = {
        {SET_rcpthosts, &r->rcpthosts, NULL},
        {SET_morercpthosts, &r->morercpthosts, NULL},
        {SET_submitusers, &r->submitusers, &r->has_submitusers},
        {SET_relayusers, &r->relayusers, &r->has_relayusers},
        {SET_groups, &r->groups, NULL},
    };

    for (unsigned int i = 0; i < sizeof lists / sizeof *lists; i++) {
        int got = present && !present[lists[i].setting] ? 0 : control_list(lists[i].setting, lists[i].value);
        *which = control_path(lists[i].setting);
        if (got == -1)
            return 0;
        if (lists[i].has)
            *lists[i].has = got;
    }
    *which = control_path(SET_authrelay);
    r->authrelay = control_rows[SET_authrelay].number;
    return (present && !present[SET_authrelay]) || control_uint(SET_authrelay, &r->authrelay);
}

/* ---- users ---- */

static int
same(char const *a, char const *b, size_t len)
{
    return strlen(a) == len && !strncasecmp(a, b, len);
}

static int
in_group(stralloc const *groups, char const *group, size_t n, char const *login, size_t len)
{
    for (size_t at = 0; n && at < groups->len; at += strlen(groups->s + at) + 1) {
        char const *line = groups->s + at;
        if (!strncasecmp(line, group, n) && line[n] == ':' && same(line + n + 1, login, len))
            return 1;
    }
    return 0;
}

int
relay_means(struct relay const *r, char const *who, size_t len, char const *login, size_t login_len)
{
    if (len == 1 && *who == '*')
        return 1;
    if (len && *who == '%')
        return in_group(&r->groups, who + 1, len - 1, login, login_len);
    return len == login_len && !strncasecmp(who, login, len);
}

/* The first line that fits, NULL if none does. */
static char const *
line_for(struct relay const *r, stralloc const *list, char const *login, size_t len)
{
    for (size_t at = 0; at < list->len; at += strlen(list->s + at) + 1) {
        char const *line = list->s + at;
        char const *who = line + (*line == '!');
        if (relay_means(r, who, strlen(who), login, len))
            return line;
    }
    return NULL;
}

int
relay_may_submit(struct relay const *r, char const *login, size_t len, char const **item)
{
    *item = r->has_submitusers ? line_for(r, &r->submitusers, login, len) : NULL;
    return !r->has_submitusers || (*item && **item != '!');
}

/* 1 if the login may relay; the reason says why, or why not. */
static int
login_may(struct relay const *r, struct relay_client const *c, struct relay_reason *why)
{
    why->setting = SET_submitusers;
    if (!relay_may_submit(r, c->login, c->login_len, &why->item))
        return 0;
    why->setting = r->has_relayusers ? SET_relayusers : SET_authrelay;
    why->item = r->has_relayusers ? line_for(r, &r->relayusers, c->login, c->login_len) : NULL;
    return r->has_relayusers ? why->item && *why->item != '!' : r->authrelay != 0;
}

/* ---- domains ---- */

/* The line of a list of domains that holds it, or a parent of it as ".parent". */
static char const *
domain_line(stralloc const *list, char const *domain, size_t len)
{
    for (size_t at = 0; at < list->len; at += strlen(list->s + at) + 1) {
        char const *line = list->s + at;
        size_t n = strlen(line);
        if ((n == len || (*line == '.' && n < len)) && !strncasecmp(line, domain + len - n, n))
            return line;
    }
    return NULL;
}

/* "joe%example.org", "example.org!joe", "joe@example.org": what old mailers take for an address of its own. */
static int
is_disguise(char const *local, size_t len)
{
    return len && (memchr(local, '%', len) || memchr(local, '!', len) || memchr(local, '@', len));
}

static int
domain_may(struct relay const *r, char const *domain, size_t len, struct relay_reason *why)
{
    why->setting = SET_rcpthosts;
    why->item = domain_line(&r->rcpthosts, domain, len);
    if (why->item)
        return 1;
    why->item = domain_line(&r->morercpthosts, domain, len);
    if (!why->item)
        return 0;
    why->setting = SET_morercpthosts;
    return 1;
}

/* ---- the decision ---- */

void
relay_decide(struct relay const *r, struct routes const *routes, struct relay_client const *c, char const *address,
             size_t len, enum route route, struct relay_reason *why)
{
    size_t at = addr_at(address, len);
    size_t domain_len = at < len ? len - at - 1 : 0;
    char const *domain = address + len - domain_len;
    int disguised = route == ROUTE_REMOTE && is_disguise(address, at);
    struct relay_reason by_login;

    memset(why, 0, sizeof *why);
    why->setting = SET_locals;
    if (!disguised && (at == len || route == ROUTE_MAILBOX || control_holds(&routes->locals, domain, domain_len, 0)))
        return;
    why->verdict = RELAY_YES;
    if (c->relayclient) {
        why->rule = c->rule ? c->rule : "";
        return;
    }
    by_login = *why;
    if (c->login_len && login_may(r, c, &by_login)) {
        *why = by_login;
        return;
    }
    if (domain_may(r, domain, domain_len, why) && !disguised)
        return;
    if (c->login_len)
        *why = by_login;
    why->verdict = c->later ? RELAY_LATER : RELAY_NO;
}

/* ---- for the log ---- */

/* The number of the line that says that, 0 if none does. */
static uint32_t
count_to(char const *path, char const *item)
{
    stralloc text = STRALLOC_ZERO;
    size_t want = strlen(item);
    uint32_t line = 0, found = 0;
    struct stat st;

    if (stat(path, &st) == -1 || st.st_size > COUNTED_MAX || !openslurpclose(&text, path))
        text.len = 0;
    for (size_t at = 0; !found && at < text.len;) {
        char const *s = text.s + at;
        char const *newline = memchr(s, '\n', text.len - at);
        size_t n = newline ? (size_t)(newline - s) : text.len - at;
        at += n + 1;
        line++;
        for (; n && (*s == ' ' || *s == '\t'); s++)
            n--;
        while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
            n--;
        if (n == want && !memcmp(s, item, n))
            found = line;
    }
    stralloc_free(&text);
    return found;
}

int
relay_where(struct relay_reason const *why, stralloc *file, uint32_t *line)
{
    struct place place = {.scope = SCOPE_SERVER, .who = getenv("PNEU_SERVER")};
    struct stat st;

    *line = 0;
    file->len = 0;
    if (why->rule)
        return stralloc_cats(file, *why->rule ? "access:" : "environment:RELAYCLIENT") &&
               stralloc_cats(file, why->rule) && stralloc_0(file);
    char const *name = control_rows[why->setting].name;
    int own = place.who && *place.who && place_path(&place, name, file) && stat(file->s, &st) == 0;
    if (!own && !place_path(&(struct place){.scope = SCOPE_GLOBAL}, name, file))
        return (errno = ENOMEM, 0);
    if (why->item)
        *line = count_to(file->s, why->item);
    return 1;
}
