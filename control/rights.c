#include "control/rights.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <skalibs/ip46.h>
#include <skalibs/types.h>

#include "control/relay.h"
#include "lib/addr.h"
#include "lib/durable.h"
#include "lib/ip.h"

/* ---- rules ---- */

struct rules {
    char const *folder;
    int named;
    rights_say *say;
    void *data;
};

/* "FOLDER/KIND/KEY", then "/FILE" if there is one. */
static int
join(stralloc *path, struct rules const *r, char const *kind, char const *key, char const *file)
{
    path->len = 0;
    return stralloc_cats(path, r->folder) && stralloc_append(path, '/') && stralloc_cats(path, kind) &&
           (!key || (stralloc_append(path, '/') && stralloc_cats(path, key))) &&
           (!file || (stralloc_append(path, '/') && stralloc_cats(path, file))) && stralloc_0(path);
}

static int
there(struct rules const *r, char const *kind, char const *key, char const *file)
{
    stralloc path = STRALLOC_ZERO;
    struct stat st;
    int got = join(&path, r, kind, key, file) && stat(path.s, &st) == 0;

    stralloc_free(&path);
    return got;
}

/* "192.0.2.0_24", written as libs6 writes it when it asks; else the reason why it is never asked for. */
static char const *
wrong_network(char const *key, int is6)
{
    char text[IP46_FMT], net[IP46_FMT + 5];
    char const *mask = strrchr(key, '_');
    size_t len = mask ? (size_t)(mask - key) : 0, n = strlen(key);
    unsigned int bits;
    struct ip ip;
    ip46 own;

    if (!mask || n >= sizeof net)
        return "no network: an address, '_' and the length of its mask";
    memcpy(net, key, n + 1);
    net[len] = 0;
    if (ip46_scan(net, &own) != len || ip46_is6(&own) != is6)
        return "no address of this family";
    if (ip46_fmt(text, &own) != len || memcmp(text, net, len) != 0)
        return "never asked for: an address is written in lower case, its longest row of zeros as ::";
    net[len] = '/';
    if (!ip_scan_net(net, n, &ip, &bits) && !(is6 && !memcmp(own.ip, "\0\0\0\0\0\0\0\0\0\0\377\377", 12)))
        return "never asked for: no such mask, or bits beyond it";
    return NULL;
}

static char const *
wrong_key(char const *kind, char const *key)
{
    if (strcmp(kind, "reversedns"))
        return wrong_network(key, *(kind + 2) == '6');
    if (!strcmp(key, "@"))
        return NULL;
    for (char const *s = key; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            return "never asked for: names are in lower case";
    return addr_domain(key, strlen(key), 0) ? NULL : "no host name, and not @";
}

static int
check_rule(struct rules const *r, char const *kind, char const *key)
{
    int allow = there(r, kind, key, "allow"), deny = there(r, kind, key, "deny");
    char const *wrong = wrong_key(kind, key);
    stralloc path = STRALLOC_ZERO;
    int good = join(&path, r, kind, key, NULL);

    if (good && wrong)
        good = r->say(r->data, 1, path.s, wrong);
    if (good && allow == deny)
        good = r->say(r->data, 1, path.s, allow ? "both allow and deny: allow counts" : "neither allow nor deny");
    if (good && deny && !allow && there(r, kind, key, "env"))
        good = r->say(r->data, 1, path.s, "env does not count beside deny");
    stralloc_free(&path);
    return good;
}

static int
check_kind(struct rules const *r, char const *kind)
{
    static char const *const kinds[] = {"ip4", "ip6", "reversedns", "uid", "gid"};
    stralloc path = STRALLOC_ZERO, names = STRALLOC_ZERO;
    unsigned int i = 0;
    int good = join(&path, r, kind, NULL, NULL);

    while (i < 5 && strcmp(kind, kinds[i]) != 0)
        i++;
    if (good && i == 5)
        good = r->say(r->data, 1, path.s, "no kind of rule: ip4, ip6, reversedns");
    else if (good && i == 2 && !r->named)
        good = r->say(r->data, 0, path.s, "names are not looked up: rdns is no");
    if (good && i < 3 && !durable_names(path.s, &names))
        good = r->say(r->data, 1, path.s, strerror(errno));
    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1)
        good = check_rule(r, kind, name);
    stralloc_free(&path);
    stralloc_free(&names);
    return good;
}

int
rights_rules(char const *folder, int named, rights_say *say, void *data)
{
    struct rules const r = {.folder = folder, .named = named, .say = say, .data = data};
    stralloc names = STRALLOC_ZERO;
    int good = durable_names(folder, &names) || say(data, 1, folder, strerror(errno));

    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1)
        good = check_kind(&r, name);
    stralloc_free(&names);
    return good;
}

/* ---- users ---- */

struct users {
    struct place const *place;
    struct relay relay;
    rights_say *say;
    void *data;
    stralloc path;
};

/* Returns 1 if there is one, and *here if it stands in that place itself; malformed ones are told by others. */
static int
read_list(struct users *u, enum setting which, stralloc *items, int *here)
{
    struct place const everywhere = {.scope = SCOPE_GLOBAL};
    int got = 0;

    *here = 0;
    if (place_takes(u->place, which) && place_path(u->place, control_rows[which].name, &u->path))
        got = control_file(which, u->path.s, items) == 1;
    *here = got;
    if (!got && place_path(&everywhere, control_rows[which].name, &u->path))
        got = control_file(which, u->path.s, items) == 1;
    if (!got)
        items->len = 0;
    return got;
}

static int
tell(struct users *u, enum setting which, char const *who, char const *what)
{
    stralloc text = STRALLOC_ZERO;
    int good = place_path(u->place, control_rows[which].name, &u->path) && stralloc_cats(&text, who) &&
               stralloc_cats(&text, what) && stralloc_0(&text) && u->say(u->data, 1, u->path.s, text.s);

    stralloc_free(&text);
    return good;
}

/* Who is let relay by that line may also submit, all members of a group. */
static int
check_line(struct users *u, enum setting which, char const *line)
{
    static char const without[] = " may relay, but submitusers does not let this login send mail";
    stralloc const *groups = &u->relay.groups;
    char const *who = line + (*line == '!'), *item;
    size_t n = strlen(who + 1);
    int members = 0, good = 1, relays = which == SET_relayusers && *line != '!';

    if (!strcmp(who, "*"))
        return 1;
    if (*who != '%')
        return !relays || relay_may_submit(&u->relay, who, strlen(who), &item) || tell(u, which, who, without);
    for (size_t at = 0; good && at < groups->len; at += strlen(groups->s + at) + 1) {
        char const *member = groups->s + at;
        if (strncasecmp(member, who + 1, n) != 0 || member[n] != ':')
            continue;
        members = 1;
        member += n + 1;
        if (relays && !relay_may_submit(&u->relay, member, strlen(member), &item))
            good = tell(u, which, member, without);
    }
    return good && (members || tell(u, which, who, " is a group without members in control/groups"));
}

int
rights_users(struct place const *place, rights_say *say, void *data)
{
    struct users u = {.place = place, .say = say, .data = data, .path = STRALLOC_ZERO};
    struct {
        enum setting which;
        stralloc *items;
    } const lists[] = {{SET_submitusers, &u.relay.submitusers}, {SET_relayusers, &u.relay.relayusers}};
    int here[2], global, good = 1;

    u.relay.has_submitusers = read_list(&u, SET_submitusers, &u.relay.submitusers, here);
    u.relay.has_relayusers = read_list(&u, SET_relayusers, &u.relay.relayusers, here + 1);
    read_list(&u, SET_groups, &u.relay.groups, &global);
    for (unsigned int i = 0; i < 2; i++) {
        stralloc const *items = lists[i].items;
        if (here[i] || (i && here[0]))
            for (size_t at = 0; good && at < items->len; at += strlen(items->s + at) + 1)
                good = check_line(&u, lists[i].which, items->s + at);
    }
    stralloc_free(&u.relay.submitusers);
    stralloc_free(&u.relay.relayusers);
    stralloc_free(&u.relay.groups);
    stralloc_free(&u.path);
    return good;
}
