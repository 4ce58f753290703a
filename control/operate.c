#include "control/operate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "control/agree.h"
#include "control/listener.h"
#include "control/replies.h"
#include "control/rights.h"
#include "lib/durable.h"
#include "lib/ip.h"
#include "lib/log.h"
#include "lib/span.h"

static char const *const type_names[] = {
    [SETTING_INT] = "number",    [SETTING_TIME] = "time",   [SETTING_BOOL] = "0 or 1",
    [SETTING_LINE] = "line",     [SETTING_LIST] = "list",   [SETTING_TABLE] = "table",
    [SETTING_SECRET] = "secret", [SETTING_SPANS] = "times", [SETTING_RATE] = "rate",
};

static char const *const scope_names[] = {
    [SCOPE_GLOBAL] = 0,
    [SCOPE_SERVER] = "per server",
    [SCOPE_REMOTE] = "per remote domain",
    [SCOPE_DOMAIN] = "per domain",
};

static int
put_number(stralloc *text, uint32_t n)
{
    char digits[UINT32_FMT];

    return stralloc_catb(text, digits, uint32_fmt(digits, n));
}

/* ---- show ---- */

static int
put_items(stralloc *text, enum setting which, stralloc const *items)
{
    if (control_rows[which].type == SETTING_SECRET)
        return stralloc_cats(text, "(secret)");
    for (size_t at = 0; at < items->len; at += strlen(items->s + at) + 1)
        if ((at && !stralloc_cats(text, ", ")) || !log_escape(text, items->s + at, strlen(items->s + at), 1))
            return 0;
    return 1;
}

static int
put_default(stralloc *text, enum setting which)
{
    char const *fallback = control_default(which);

    return control_isnumber(which) ? put_number(text, control_rows[which].number)
                                   : stralloc_cats(text, fallback ? fallback : "-");
}

/* The value where no file gives one. */
static int
put_fallback(stralloc *text, enum setting which)
{
    char const *fallback = control_default(which);
    stralloc value = STRALLOC_ZERO;
    int good = 1;

    if (control_isnumber(which) || !fallback || *fallback != '@')
        return put_default(text, which);
    int got = control_line(control_named(fallback + 1), &value);
    if (got == 1)
        good = put_items(text, which, &value);
    else
        good = stralloc_cats(text, got ? "(malformed)" : "-");
    stralloc_free(&value);
    return good;
}

static int
show_one(stralloc *text, struct place const *place, enum setting which)
{
    stralloc path = STRALLOC_ZERO, items = STRALLOC_ZERO;
    int good = place_path(place, control_rows[which].name, &path);
    int got = good ? control_file(which, path.s, &items) : 0;

    if (good && (got || place->scope == SCOPE_GLOBAL)) {
        good = stralloc_cats(text,
                             place->scope == SCOPE_GLOBAL ? control_rows[which].name : path.s + strlen("control/")) &&
               stralloc_append(text, '\t');
        if (good && !got)
            good = put_fallback(text, which) && stralloc_cats(text, "\tdefault\t");
        else if (good)
            good = (got == 1 ? put_items(text, which, &items) : stralloc_cats(text, "(malformed)")) &&
                   stralloc_append(text, '\t') && stralloc_catb(text, path.s, path.len - 1) &&
                   stralloc_append(text, '\t');
        good = good && put_default(text, which) && stralloc_append(text, '\n');
    }
    stralloc_free(&path);
    stralloc_free(&items);
    return good;
}

static int
show_place(struct place const *place, void *text)
{
    for (enum setting which = 0; which < SET_count; which++)
        if (place_takes(place, which) && !show_one(text, place, which))
            return 0;
    return 1;
}

int
operate_show(stralloc *text)
{
    text->len = 0;
    return place_each(show_place, text);
}

/* ---- check ---- */

struct check {
    stralloc *text;
    int mistakes;
};

static int
mistake(struct check *check, char const *path, char const *what)
{
    check->mistakes++;
    return log_escape(check->text, path, strlen(path), 1) && stralloc_cats(check->text, ": ") &&
           stralloc_cats(check->text, what) && stralloc_append(check->text, '\n');
}

static int
disagreement(void *data, int is_mistake, char const *path, char const *what)
{
    struct check *check = data;

    if (is_mistake)
        return mistake(check, path, what);
    return stralloc_cats(check->text, "warning: ") && log_escape(check->text, path, strlen(path), 1) &&
           stralloc_cats(check->text, ": ") && stralloc_cats(check->text, what) && stralloc_append(check->text, '\n');
}

/* Host names and listeners: what the type does not say. */
static int
is_host(char const *s)
{
    static char const allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:";

    for (; *s; s++)
        if (!((unsigned char)*s & 0x80) && !strchr(allowed, *s))
            return 0;
    return 1;
}

static int
is_listener(char const *s)
{
    char words[3][64];
    char more;

    return sscanf(s, "%63s %63s %63s %c", words[0], words[1], words[2], &more) == 3 &&
           listener_check(words[0], words[1], words[2]) == LISTENER_GOOD;
}

/* Addresses and networks; a list of them is a list of whom we believe. */
static int
are_networks(stralloc const *items)
{
    unsigned int bits;
    struct ip ip;

    for (size_t at = 0; at < items->len; at += strlen(items->s + at) + 1)
        if (!ip_scan_net(items->s + at, strlen(items->s + at), &ip, &bits))
            return 0;
    return 1;
}

static int
are_rules(stralloc const *items)
{
    struct reply_rule rule;

    for (size_t at = 0; at < items->len; at += strlen(items->s + at) + 1)
        if (!replies_scan(items->s + at, &rule))
            return 0;
    return 1;
}

static int
are_waits(stralloc const *items)
{
    uint32_t seconds;

    for (size_t at = 0; at < items->len; at += strlen(items->s + at) + 1) {
        char const *times = strchr(items->s + at, ':');
        if (!times || span_list(times + 1, strlen(times), &seconds, 1) < 1)
            return 0;
    }
    return 1;
}

static int
sensible(enum setting which, stralloc const *items)
{
    char const *unit = control_unit(which);

    if (which == SET_listen)
        return !items->len || is_listener(items->s);
    if (which == SET_proxyfrom || which == SET_xclientfrom)
        return are_networks(items);
    if (which == SET_replies)
        return are_rules(items);
    if (which == SET_retrysenders)
        return are_waits(items);
    if (which == SET_rdns)
        return items->len && (!strcmp(items->s, "no") || !strcmp(items->s, "mark") || !strcmp(items->s, "require"));
    return control_rows[which].type != SETTING_LINE || !items->len ||
           (strcmp(unit, "host name") && strcmp(unit, "domain")) || is_host(items->s);
}

int
operate_expected(enum setting which, stralloc *what)
{
    struct setting_row const *row = control_rows + which;

    what->len = 0;
    if (row->type == SETTING_BOOL)
        return stralloc_cats(what, "must be 0 or 1") && stralloc_0(what);
    if (row->type == SETTING_INT)
        return stralloc_cats(what, "must be a number from 0 to ") && put_number(what, row->largest) &&
               stralloc_cats(what, *control_unit(which) ? ", " : "") && stralloc_cats(what, control_unit(which)) &&
               stralloc_0(what);
    if (row->type == SETTING_TIME)
        return stralloc_cats(what, "must be a time such as 90, 90s, 15m, 4h or 2d, of at most ") &&
               put_number(what, row->largest) && stralloc_cats(what, " seconds") && stralloc_0(what);
    if (which == SET_replies)
        return stralloc_cats(what,
                             "must be retry TIME, slow, pause TIME or return, a colon and a pattern; one a line") &&
               stralloc_0(what);
    if (which == SET_retrysenders)
        return stralloc_cats(what, "must be a sender, a colon and times such as 15m 4h; one a line") &&
               stralloc_0(what);
    if (row->type == SETTING_SPANS)
        return stralloc_cats(what,
                             "must be one or more times such as 90s, 15m, 4h or 2d, with blanks or lines between") &&
               stralloc_0(what);
    if (row->type == SETTING_RATE)
        return stralloc_cats(what, "must be a number, a slash and a time, such as 10/1m") && stralloc_0(what);
    return stralloc_cats(what, "must be ") &&
           stralloc_cats(what, row->type == SETTING_TABLE  ? "key:value, one a line ("
                               : row->type == SETTING_LIST ? "one value a line ("
                                                           : "one line (") &&
           stralloc_cats(what, control_unit(which)) && stralloc_cats(what, "), none longer than ") &&
           put_number(what, row->largest) && stralloc_cats(what, " bytes, without control characters") &&
           stralloc_0(what);
}

static int
check_setting(struct check *check, enum setting which, char const *path)
{
    stralloc items = STRALLOC_ZERO, what = STRALLOC_ZERO;
    int got = control_file(which, path, &items);
    int good = 1;

    if (got == -1 && errno != EPROTO)
        good = mistake(check, path, strerror(errno));
    else if (got == -1 || (got == 1 && !sensible(which, &items)))
        good = operate_expected(which, &what) && mistake(check, path, what.s);
    stralloc_free(&items);
    stralloc_free(&what);
    return good;
}

/* Are names looked up by that listener, or by any? */
static int
has_names(struct place const *place)
{
    struct place const everywhere = {.scope = SCOPE_GLOBAL};
    stralloc path = STRALLOC_ZERO, items = STRALLOC_ZERO;
    int got = place_path(place, control_rows[SET_rdns].name, &path) ? control_file(SET_rdns, path.s, &items) : -1;

    if (got == 0 && place->scope != SCOPE_GLOBAL && place_path(&everywhere, control_rows[SET_rdns].name, &path))
        got = control_file(SET_rdns, path.s, &items);
    /* of control/access another listener may make use */
    got = got == 1 ? items.len && strcmp(items.s, "no") != 0 : place->scope == SCOPE_GLOBAL;
    stralloc_free(&path);
    stralloc_free(&items);
    return got;
}

static int
check_name(struct check *check, struct place const *place, char const *name, char const *path)
{
    enum setting which = control_named(name);

    /* What begins with a dot is being written, or hidden on purpose. */
    if (*name == '.')
        return 1;
    if (place->scope == SCOPE_GLOBAL &&
        (!strcmp(name, "servers") || !strcmp(name, "remote") || !strcmp(name, "domain")))
        return 1;
    if ((place->scope == SCOPE_GLOBAL || place->scope == SCOPE_SERVER) && !strncmp(name, "access", 6) &&
        (!name[6] || !strcmp(name + 6, ".cdb")))
        return name[6] || rights_rules(path, has_names(place), disagreement, check);
    if (which == SET_count)
        return mistake(check, path, "no such setting");
    if (!place_takes(place, which))
        return mistake(check, path, "this setting does not count here");
    return check_setting(check, which, path);
}

/* A mailbox domain that locals names too: one of both is a mistake. */
static int
check_domain(struct check *check, char const *domain, char const *path)
{
    stralloc locals = STRALLOC_ZERO;
    int good = 1;

    if (access(control_path(SET_locals), F_OK) == 0 && control_list(SET_locals, &locals) == 1 &&
        control_holds(&locals, domain, strlen(domain), 0))
        good = mistake(check, path,
                       "the domain is in locals too: its mail goes to the mailboxes, not to users of the system");
    stralloc_free(&locals);
    return good;
}

static int
check_place(struct place const *place, void *data)
{
    struct check *check = data;
    stralloc folder = STRALLOC_ZERO, names = STRALLOC_ZERO, path = STRALLOC_ZERO;
    int good = place_path(place, 0, &folder);

    if (good && !durable_names(folder.s, &names))
        good = mistake(check, folder.s, errno == ENOTDIR ? "must be a folder" : strerror(errno));
    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1)
        good = place_path(place, name, &path) && check_name(check, place, name, path.s);
    if (good && place->scope == SCOPE_DOMAIN)
        good = check_domain(check, place->who, folder.s);
    if (good && (place->scope == SCOPE_GLOBAL || place->scope == SCOPE_SERVER))
        good = rights_users(place, disagreement, check);
    good = good && agree_check(place, disagreement, check);
    stralloc_free(&folder);
    stralloc_free(&names);
    stralloc_free(&path);
    return good;
}

int
operate_check(stralloc *text)
{
    struct check check = {.text = text};

    text->len = 0;
    if (!place_each(check_place, &check))
        return -1;
    if (access("control/me", F_OK) == -1 &&
        !mistake(&check, "control/me", "missing: many settings take their default from it"))
        return -1;
    return check.mistakes;
}

/* ---- set, unset ---- */

static size_t
count(stralloc const *items)
{
    size_t n = 0;

    for (size_t at = 0; at < items->len; at++)
        n += !items->s[at];
    return n;
}

/* The folder a setting goes to is there, or may be made: a server is made by pneu-server, a domain by pneu-mailbox. */
static int
ready(struct place const *place, enum setting which)
{
    stralloc folder = STRALLOC_ZERO;
    int good;

    if (!place_takes(place, which))
        return (errno = EINVAL, 0);
    good = place_path(place, 0, &folder);
    if (good && place->scope == SCOPE_REMOTE)
        good = durable_mkdir(folder.s, 0755) != -1;
    good = good && access(folder.s, F_OK) == 0;
    int e = errno;
    stralloc_free(&folder);
    return (errno = e, good);
}

int
operate_set(struct place const *place, enum setting which, stralloc const *items)
{
    stralloc text = STRALLOC_ZERO, parsed = STRALLOC_ZERO, path = STRALLOC_ZERO;
    mode_t mode = control_rows[which].type == SETTING_SECRET ? 0600 : 0644;
    int good = stralloc_catb(&text, items->s, items->len);

    for (size_t i = 0; good && i < text.len; i++)
        if (text.s[i] == '\n')
            good = (errno = EPROTO, 0);
        else if (!text.s[i])
            text.s[i] = '\n';
    good = good && stralloc_catb(&parsed, text.s, text.len) && control_parse(which, &parsed);
    /* A value that would be read as a comment, or as nothing, is none. */
    if (good &&
        (count(&parsed) != count(items) || (control_isnumber(which) && !parsed.len) || !sensible(which, &parsed)))
        good = (errno = EPROTO, 0);
    good = good && ready(place, which) && place_path(place, control_rows[which].name, &path) &&
           durable_write(path.s, text.s, text.len, mode, 0);
    int e = errno;
    stralloc_free(&text);
    stralloc_free(&parsed);
    stralloc_free(&path);
    return (errno = e, good);
}

int
operate_unset(struct place const *place, enum setting which)
{
    stralloc path = STRALLOC_ZERO;
    int good = place_path(place, control_rows[which].name, &path) && durable_unlink(path.s);
    int e = errno;

    stralloc_free(&path);
    return (errno = e, good);
}

/* ---- doc ---- */

static int
by_name(void const *a, void const *b)
{
    return strcmp(control_rows[*(enum setting const *)a].name, control_rows[*(enum setting const *)b].name);
}

/* "(number of bytes, per server; default 52428800, at most 4294967295)" */
static int
doc_one(stralloc *text, enum setting which)
{
    struct setting_row const *row = control_rows + which;
    char const *scope = scope_names[row->scope];
    int good = stralloc_cats(text, ".It Cm ") && stralloc_cats(text, row->name) && stralloc_cats(text, "\n.Pq ") &&
               stralloc_cats(text, type_names[row->type]);

    if (good && *control_unit(which))
        good =
            stralloc_cats(text, row->type == SETTING_INT ? " of " : ": ") && stralloc_cats(text, control_unit(which));
    if (good && scope)
        good = stralloc_cats(text, "; ") && stralloc_cats(text, scope);
    if (good && control_isnumber(which))
        good = stralloc_cats(text, "; default ") && put_number(text, row->number);
    if (good && (row->type == SETTING_INT || row->type == SETTING_TIME))
        good = stralloc_cats(text, ", at most ") && put_number(text, row->largest);
    if (good && control_default(which))
        good = stralloc_cats(text, *control_default(which) == '@' ? "; default: that of " : "; default: ") &&
               stralloc_cats(text, control_default(which) + (*control_default(which) == '@'));
    return good && stralloc_cats(text, "\n.br\n") && stralloc_cats(text, control_meaning(which)) &&
           stralloc_cats(text, ".\n");
}

int
operate_doc(stralloc *text)
{
    enum setting order[SET_count];

    for (enum setting which = 0; which < SET_count; which++)
        order[which] = which;
    qsort(order, SET_count, sizeof *order, by_name);
    text->len = 0;
    if (!stralloc_cats(text, ".Bl -tag -width Ds\n"))
        return 0;
    for (unsigned int i = 0; i < SET_count; i++)
        if (!doc_one(text, order[i]))
            return 0;
    return stralloc_cats(text, ".El\n");
}
