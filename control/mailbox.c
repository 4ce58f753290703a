#include "control/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "control/passwords.h"
#include "control/users.h"
#include "control/userscdb.h"
#include "lib/durable.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define USER_MAX 64
#define DOMAIN_MAX 253

/* No label begins or ends with a hyphen, none is empty. */
static int
is_domain(char const *s, size_t len)
{
    char before = '.';

    if (!len || len > DOMAIN_MAX || strspn(s, LOWER "-.") != len || s[len - 1] == '.' || s[len - 1] == '-')
        return 0;
    for (size_t i = 0; i < len; before = s[i++])
        if ((before == '.' && (s[i] == '.' || s[i] == '-')) || (before == '-' && s[i] == '.'))
            return 0;
    return 1;
}

static int
is_user(char const *s, size_t len)
{
    return len && len <= USER_MAX && strspn(s, LOWER "!#$%&'*+-=?^_`{|}~.") == len && *s != '.' && s[len - 1] != '.' &&
           !strstr(s, "..");
}

static int
lower(stralloc *to, char const *s, size_t len)
{
    to->len = 0;
    if (!stralloc_catb(to, s, len) || !stralloc_0(to))
        return 0;
    for (size_t i = 0; i < len; i++)
        if (to->s[i] >= 'A' && to->s[i] <= 'Z')
            to->s[i] = (char)(to->s[i] + 32);
    return 1;
}

int
mailbox_scan(char const *address, stralloc *user, stralloc *domain)
{
    char const *at = strrchr(address, '@');
    char const *host = at ? at + 1 : address;

    if (!lower(user, address, at ? (size_t)(at - address) : 0) || !lower(domain, host, strlen(host)))
        return 0;
    if (!is_domain(domain->s, domain->len - 1) || (at && !is_user(user->s, user->len - 1)))
        return (errno = EPROTO, 0);
    return 1;
}

/* "BEFORE A B C", for paths. */
static int
path_of(stralloc *path, char const *before, char const *a, char const *b, char const *c)
{
    path->len = 0;
    return stralloc_cats(path, before) && stralloc_cats(path, a) && stralloc_cats(path, b) && stralloc_cats(path, c) &&
           stralloc_0(path);
}

static int
compile(struct operation *op)
{
    struct userscdb_count count = {0};

    return userscdb_make(&count, &op->why);
}

static int
make_maildir(struct operation *op, char const *user, char const *domain)
{
    static char const *const folders[] = {"", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"};
    stralloc path = STRALLOC_ZERO, home = STRALLOC_ZERO;
    uint32_t uid, gid;
    int good = 1;

    if (!users_id("pneuv", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneuv");
    if (!path_of(&home, "mail/", domain, "/", user))
        return 0;
    for (unsigned int i = 0; good && i < sizeof folders / sizeof *folders; i++)
        good = path_of(&path, home.s, folders[i], "", "") && service_folder(op, path.s, 0700, uid, gid);
    stralloc_free(&path);
    stralloc_free(&home);
    return good;
}

int
mailbox_add(struct operation *op, char const *user, char const *domain)
{
    stralloc path = STRALLOC_ZERO;
    uid_t me = geteuid();
    gid_t mine = getegid();
    /* The mailbox first: a domain without its mailboxes would refuse their mail. */
    int good = path_of(&path, "mail/", domain, "", "") && service_folder(op, path.s, 0755, me, mine) &&
               (!*user || make_maildir(op, user, domain)) && compile(op) &&
               path_of(&path, "control/domain/", domain, "", "") && service_folder(op, path.s, 0755, me, mine);

    stralloc_free(&path);
    return good;
}

/* rmdir, and the folder it was in. */
static int
remove_folder(struct operation *op, char const *path)
{
    if (rmdir(path) == -1)
        return service_failed(op, "remove ", path);
    return service_removed(op, path);
}

static int
delete_domain(struct operation *op, char const *domain)
{
    stralloc control = STRALLOC_ZERO, mail = STRALLOC_ZERO, names = STRALLOC_ZERO;
    int good = path_of(&control, "control/domain/", domain, "", "") && path_of(&mail, "mail/", domain, "", "");

    /* First look: a domain that has mailboxes, or settings and dot-qmail files, stays as it is. */
    if (good && !durable_names(mail.s, &names) && errno != ENOENT)
        good = service_failed(op, "read ", mail.s);
    if (good && names.len) {
        errno = ENOTEMPTY;
        good = service_failed(op, "remove ", mail.s);
    }
    good = good && remove_folder(op, control.s) && (access(mail.s, F_OK) == -1 || remove_folder(op, mail.s)) &&
           compile(op);
    int e = errno;
    stralloc_free(&control);
    stralloc_free(&mail);
    stralloc_free(&names);
    return (errno = e, good);
}

int
mailbox_delete(struct operation *op, char const *user, char const *domain, stralloc *moved)
{
    stralloc from = STRALLOC_ZERO, address = STRALLOC_ZERO;
    char seconds[32];
    unsigned int passwords;
    int good;

    moved->len = 0;
    if (!*user)
        return delete_domain(op, domain);
    (void)snprintf(seconds, sizeof seconds, ".%lld", (long long)time(0));
    good = path_of(&from, "mail/", domain, "/", user) && path_of(&address, user, "@", domain, "");
    /* Before anything is made: a change in mail/ would make the table look old. */
    if (good && access(from.s, F_OK) == -1)
        good = service_failed(op, "find the mailbox ", from.s);
    good = good && service_folder(op, "mail/.deleted", 0700, geteuid(), getegid()) &&
           path_of(moved, "mail/.deleted/", user, "@", domain);
    if (good) {
        moved->len--;
        good = stralloc_cats(moved, seconds) && stralloc_0(moved);
    }
    /* The passwords first: nobody logs in to what is half gone. */
    good = good && passwords_remove(op, address.s, NULL, &passwords);
    if (good && !durable_rename(from.s, moved->s))
        good = service_failed(op, "move ", from.s);
    good = good && compile(op);
    int e = errno;
    stralloc_free(&from);
    stralloc_free(&address);
    return (errno = e, good);
}

int
mailbox_exists(char const *address, char const *domain)
{
    stralloc path = STRALLOC_ZERO, user = STRALLOC_ZERO;
    struct stat st;
    int there = -1;

    if (stralloc_catb(&user, address, (size_t)(strrchr(address, '@') - address)) && stralloc_0(&user) &&
        path_of(&path, "mail/", domain, "/", user.s))
        there = stat(path.s, &st) == 0 ? S_ISDIR(st.st_mode) : errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    int e = errno;
    stralloc_free(&path);
    stralloc_free(&user);
    return (errno = e, there);
}

static int
list_domain(struct operation *op, char const *domain, stralloc *addresses)
{
    stralloc path = STRALLOC_ZERO, names = STRALLOC_ZERO;
    struct stat st;
    int good = path_of(&path, "mail/", domain, "", "") && (durable_names(path.s, &names) || errno == ENOTDIR);

    if (!good)
        (void)service_failed(op, "read ", path.s ? path.s : domain);
    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1) {
        good = path_of(&path, "mail/", domain, "/", name);
        if (good && *name != '.' && stat(path.s, &st) == 0 && S_ISDIR(st.st_mode))
            good = stralloc_cats(addresses, name) && stralloc_cats(addresses, "@") &&
                   stralloc_catb(addresses, domain, strlen(domain) + 1);
    }
    int e = errno;
    stralloc_free(&path);
    stralloc_free(&names);
    return (errno = e, good);
}

int
mailbox_list(struct operation *op, stralloc *addresses)
{
    stralloc domains = STRALLOC_ZERO;
    int good = durable_names("mail", &domains);

    addresses->len = 0;
    if (!good)
        (void)service_failed(op, "read ", "mail");
    for (char const *name = domains.s; good && domains.len && name < domains.s + domains.len; name += strlen(name) + 1)
        if (*name != '.')
            good = list_domain(op, name, addresses);
    stralloc_free(&domains);
    return good;
}
