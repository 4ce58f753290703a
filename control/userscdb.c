#include "control/userscdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/cdbmake.h>
#include <skalibs/djbunix.h>
#include <skalibs/genalloc.h>
#include <skalibs/types.h>

#include "control/command.h"
#include "control/control.h"
#include "control/members.h"
#include "control/users.h"
#include "lib/durable.h"

#define PREFIX ".qmail-"
#define PREFIX_LEN (sizeof PREFIX - 1)

/* One table in the making. */
struct table {
    cdbmaker cdb;
    stralloc breaks;  /* last bytes of wildcard prefixes */
    stralloc sources; /* NUL-terminated */
    stralloc key, value;
    stralloc home;     /* of the instance, absolute, not NUL-terminated */
    uint32_t uid, gid; /* of virtual mailboxes and aliases */
    struct userscdb_count *count;
    stralloc *why;
};

static int
failed(struct table *t, char const *what, char const *path)
{
    int e = errno;

    t->why->len = 0;
    (void)(stralloc_cats(t->why, what) && stralloc_cats(t->why, path) && stralloc_0(t->why));
    errno = e;
    return 0;
}

/* ---- entries ---- */

static int
put_field(stralloc *value, char const *s, size_t len)
{
    return stralloc_catb(value, s, len) && stralloc_0(value);
}

static int
put_number(stralloc *value, uint32_t n)
{
    char digits[UINT32_FMT];

    return put_field(value, digits, uint32_fmt(digits, n));
}

/* Begins a value: everything before dash and ext. */
static int
value_start(struct table *t, char const *user, uint32_t uid, uint32_t gid, char const *home, size_t homelen)
{
    t->value.len = 0;
    return put_field(&t->value, user, strlen(user)) && put_number(&t->value, uid) && put_number(&t->value, gid) &&
           put_field(&t->value, home, homelen);
}

/* The same for a folder of this instance, "alias" or "mail/example.org/alice". */
static int
value_own(struct table *t, char const *user, char const *folder)
{
    size_t len = t->home.len;
    int good = stralloc_cats(&t->home, "/") && stralloc_cats(&t->home, folder) &&
               value_start(t, user, t->uid, t->gid, t->home.s, t->home.len);

    t->home.len = len;
    return good;
}

static int
value_end(struct table *t, char const *dash, char const *ext, size_t extlen)
{
    return put_field(&t->value, dash, strlen(dash)) && put_field(&t->value, ext, extlen);
}

/* Adds the value under "!LOCAL" or "!LOCAL@DOMAIN": exact, with a NUL at the end, or as a prefix. */
static int
add(struct table *t, char const *local, size_t len, char const *domain, int exact)
{
    t->key.len = 0;
    if (!stralloc_append(&t->key, '!') || !stralloc_catb(&t->key, local, len) ||
        (domain && (!stralloc_append(&t->key, '@') || !stralloc_cats(&t->key, domain))) ||
        (exact && !stralloc_0(&t->key)))
        return 0;
    for (size_t i = 0; i < t->key.len; i++)
        if (t->key.s[i] >= 'A' && t->key.s[i] <= 'Z')
            t->key.s[i] = (char)(t->key.s[i] + 32);
    if (!exact && !domain && len) {
        char last = t->key.s[len];
        if ((!t->breaks.len || !memchr(t->breaks.s, last, t->breaks.len)) && !stralloc_append(&t->breaks, last))
            return 0;
    }
    return cdbmake_add(&t->cdb, t->key.s, (uint32_t)t->key.len, t->value.s, (uint32_t)t->value.len);
}

static int
source(struct table *t, char const *path)
{
    return stralloc_catb(&t->sources, path, strlen(path) + 1);
}

/* ---- dot-qmail files ---- */

/* "&NAME", of an alias: its file, and whom it forwards to. */
static int
add_members(struct table *t, char const *name, size_t len, char const *folder, char const *file)
{
    t->value.len = 0;
    if (!stralloc_cats(&t->value, folder) || !stralloc_cats(&t->value, "/") || !stralloc_cats(&t->value, file) ||
        !stralloc_0(&t->value) || !members_scan(t->value.s, &t->value))
        return 0;
    t->key.len = 0;
    if (!stralloc_append(&t->key, '&') || !stralloc_catb(&t->key, name, len))
        return 0;
    for (size_t i = 0; i < t->key.len; i++)
        if (t->key.s[i] >= 'A' && t->key.s[i] <= 'Z')
            t->key.s[i] = (char)(t->key.s[i] + 32);
    return cdbmake_add(&t->cdb, t->key.s, (uint32_t)t->key.len, t->value.s, (uint32_t)t->value.len);
}

/* Adds an address for each .qmail-EXT of a folder; ':' in the name stands for '.'.
 * stem  what comes before the extension: "" or "alice-" */
static int
dot_files(struct table *t, char const *user, char const *folder, char const *stem, char const *domain, unsigned int *n)
{
    stralloc names = STRALLOC_ZERO, local = STRALLOC_ZERO;
    int good = durable_names(folder, &names) || errno == ENOENT;

    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1) {
        if (strncmp(name, PREFIX, PREFIX_LEN) || !name[PREFIX_LEN])
            continue;
        char const *ext = name + PREFIX_LEN;
        size_t len = strlen(ext), stemlen = strlen(stem);
        int wild = len >= 7 && !strcmp(ext + len - 7, "default") && (len == 7 || ext[len - 8] == '-');
        if (wild)
            len -= 7;
        local.len = 0;
        good = stralloc_cats(&local, stem) && stralloc_catb(&local, ext, len);
        for (size_t i = stemlen; good && i < local.len; i++)
            if (local.s[i] == ':')
                local.s[i] = '.';
        good = good && value_own(t, user, folder) && value_end(t, "-", local.s + stemlen, len) &&
               add(t, local.s, local.len, domain, !wild) &&
               (wild || domain || add_members(t, local.s, local.len, folder, name));
        *n += (unsigned int)good;
    }
    stralloc_free(&names);
    stralloc_free(&local);
    return good;
}

/* ---- users of the system ---- */

/* Takes the field up to ':' off a line. */
static char *
field(char **line)
{
    char *s = *line;
    char *colon = s ? strchr(s, ':') : 0;

    if (colon)
        *colon++ = 0;
    *line = colon;
    return s;
}

/* name:x:uid:gid:gecos:home:shell. A user without a home of his own gets no mail; nor does one
 * whose name has capitals, as in qmail: addresses are compared in lower case. */
static int
system_user(struct table *t, char *line, uint32_t minuid)
{
    char *name = field(&line);
    struct stat st;
    uint32_t uid, gid;

    (void)field(&line);
    char const *u = field(&line);
    char const *g = field(&line);
    (void)field(&line);
    char const *home = field(&line);
    if (!home || !*name || !uint320_scan(u, &uid) || !uint320_scan(g, &gid) || !uid || uid < minuid || *home != '/')
        return 1;
    for (char const *s = name; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            return 1;
    if (stat(home, &st) == -1 || !S_ISDIR(st.st_mode) || st.st_uid != uid)
        return 1;
    t->count->users++;
    if (!value_start(t, name, uid, gid, home, strlen(home)) || !value_end(t, "", "", 0) ||
        !add(t, name, strlen(name), 0, 1))
        return 0;
    size_t len = strlen(name);
    stralloc stem = STRALLOC_ZERO;
    int good = stralloc_catb(&stem, name, len) && stralloc_append(&stem, '-') &&
               value_start(t, name, uid, gid, home, strlen(home)) && value_end(t, "-", "", 0) &&
               add(t, stem.s, stem.len, 0, 0);
    stralloc_free(&stem);
    return good;
}

static int
system_users(struct table *t)
{
    stralloc text = STRALLOC_ZERO;
    uint32_t minuid;
    int good;

    if (!control_uint(SET_minuid, &minuid))
        return failed(t, "read ", control_path(SET_minuid));
    if (!source(t, "/etc/passwd") || command_getent("passwd", 0, &text) != 1)
        return failed(t, "run ", "getent passwd");
    good = stralloc_0(&text);
    char *next;
    for (char *line = text.s; good && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = 0;
        good = system_user(t, line, minuid);
    }
    stralloc_free(&text);
    return good;
}

/* ---- users/assign ---- */

/* =local:user:uid:gid:home:dash:ext:  or  +prefix:user:uid:gid:home:dash:pre: */
static int
assign_line(struct table *t, char *line)
{
    char exact = *line++;
    char *f[7];
    uint32_t uid, gid;

    for (unsigned int i = 0; i < 7; i++)
        if (!(f[i] = field(&line)) || !line)
            return (errno = EPROTO, 0);
    if ((exact != '=' && exact != '+') || (exact == '=' && !*f[0]) || !uint320_scan(f[2], &uid) ||
        !uint320_scan(f[3], &gid) || *f[4] != '/' || (strcmp(f[5], "") && strcmp(f[5], "-")))
        return (errno = EPROTO, 0);
    t->count->assigned++;
    return value_start(t, f[1], uid, gid, f[4], strlen(f[4])) && value_end(t, f[5], f[6], strlen(f[6])) &&
           add(t, f[0], strlen(f[0]), 0, exact == '=');
}

static int
assigned(struct table *t)
{
    static char const path[] = "users/assign";
    stralloc text = STRALLOC_ZERO;
    int good = 1, ended = 0;
    char at[UINT32_FMT + 1];

    if (!source(t, path))
        return 0;
    if (access(path, F_OK) == -1 && errno == ENOENT)
        return 1;
    if (!openslurpclose(&text, path) || !stralloc_0(&text))
        return failed(t, "read ", path);
    if (strlen(text.s) != text.len - 1)
        return (errno = EPROTO, failed(t, "understand ", path));
    char *next;
    uint32_t n = 0;
    for (char *line = text.s; good && *line && !ended; line = next) {
        n++;
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = 0;
        ended = !strcmp(line, ".");
        if (!ended && *line && *line != '#')
            good = assign_line(t, line);
    }
    stralloc_free(&text);
    /* The last line is a dot, so that a file which is just being copied is not taken for the whole. */
    if (good && !ended)
        return (errno = EPROTO, failed(t, "find the final line \".\" of ", path));
    at[uint32_fmt(at, n)] = 0;
    if (!good)
        return failed(t, "understand users/assign, line ", at);
    return 1;
}

/* ---- mail/ ---- */

static int
is_folder(char const *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
mailbox(struct table *t, char const *folder, char const *user, char const *domain)
{
    stralloc stem = STRALLOC_ZERO;
    int good = value_own(t, user, folder) && value_end(t, "", "", 0) && add(t, user, strlen(user), domain, 1) &&
               stralloc_cats(&stem, user) && stralloc_cats(&stem, "-") && stralloc_0(&stem);
    unsigned int n = 0;

    t->count->mailboxes++;
    good = good && dot_files(t, user, folder, stem.s, domain, &n);
    stralloc_free(&stem);
    return good;
}

/* Calls that for each folder in a folder whose name does not begin with a dot. */
static int
each_folder(struct table *t, char const *parent, char const *domain,
            int (*then)(struct table *, char const *folder, char const *name, char const *domain))
{
    stralloc names = STRALLOC_ZERO, path = STRALLOC_ZERO;
    int good = durable_names(parent, &names) || errno == ENOENT;

    if (!good)
        (void)failed(t, "read ", parent);
    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1) {
        if (*name == '.')
            continue;
        path.len = 0;
        good = stralloc_cats(&path, parent) && stralloc_cats(&path, "/") &&
               stralloc_catb(&path, name, strlen(name) + 1) && (!is_folder(path.s) || then(t, path.s, name, domain));
    }
    int e = errno;
    stralloc_free(&names);
    stralloc_free(&path);
    return (errno = e, good);
}

static int
mail_domain(struct table *t, char const *folder, char const *name, char const *nothing)
{
    (void)nothing;
    return source(t, folder) && each_folder(t, folder, name, mailbox) &&
           dot_files(t, name, folder, "", name, &t->count->aliases) && value_own(t, "alias", "alias") &&
           value_end(t, "-", "postmaster", 10) && add(t, "postmaster", 10, name, 1);
}

/* ---- the whole ---- */

/* Names of users and mailboxes go in with who comes first winning: cdb_find finds the first. */
static int
collect(struct table *t)
{
    struct stat ids;

    if (!users_id("pneuv", &t->uid, &t->gid) || stat("users/ids", &ids) == -1)
        return failed(t, "read ", "users/ids");
    if (sagetcwd(&t->home) == -1)
        return failed(t, "find ", "the instance's folder");
    if (!assigned(t) || (ids.st_uid == 0 && !system_users(t)))
        return 0;
    if (!source(t, "alias") || !source(t, "mail") || !dot_files(t, "alias", "alias", "", 0, &t->count->aliases))
        return failed(t, "read ", "alias");
    return each_folder(t, "mail", 0, mail_domain) &&
           cdbmake_add(&t->cdb, "", 0, t->breaks.s, (uint32_t)t->breaks.len) &&
           cdbmake_add(&t->cdb, "sources", 7, t->sources.s, (uint32_t)t->sources.len) && cdbmake_finish(&t->cdb);
}

/* The table is built in memory and then written like every other file of ours. */
static int
store(struct table *t, int fd, struct timespec const *began)
{
    off_t len = lseek(fd, 0, SEEK_END);
    char *image = len > 0 ? mmap(0, (size_t)len, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    int done;

    if (image == MAP_FAILED)
        return 0;
    done = durable_write(USERS_CDB, image, (size_t)len, 0644, began);
    if (!done)
        (void)failed(t, "write ", USERS_CDB);
    int e = errno;
    munmap(image, (size_t)len);
    return (errno = e, done);
}

#define TICK_MAX 2000 /* milliseconds: the longest tick of a file system in use */

/* What time it is for the files here: the clock that a file system takes its times from is no other, and may run ahead of
 * those we can ask. */
static int
file_time(struct timespec *now)
{
    static char const probe[] = "users/.new.probe";
    struct stat st;
    int fd = open("users", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    int done;

    if (fd == -1) {
        (void)unlink(probe);
        fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        (void)unlink(probe);
    }
    done = fd != -1 && fstat(fd, &st) == 0;
    if (done)
        *now = st.st_mtim;
    int e = errno;
    if (fd != -1)
        close(fd);
    return (errno = e, done);
}

/* The time the look at the sources begins: later than that of any change before it. File systems count in ticks, so that
 * a change right before it and one right after would be of one time. */
static int
next_tick(struct timespec *now)
{
    struct timespec const pause = {.tv_nsec = 1000000};
    struct timespec first;

    if (!file_time(&first))
        return 0;
    for (int i = 0; i < TICK_MAX; i++) {
        nanosleep(&pause, 0);
        if (!file_time(now))
            return 0;
        if (now->tv_sec != first.tv_sec || now->tv_nsec != first.tv_nsec)
            break;
    }
    return 1;
}

int
userscdb_make(struct userscdb_count *count, stralloc *why)
{
    struct table t = {.count = count, .why = why};
    struct timespec began;
    int fd = memfd_create("users/cdb", MFD_CLOEXEC);
    int done;

    /* Its mtime is when we began to look: what changes from now on makes it stale. */
    why->len = 0;
    done = fd != -1 && next_tick(&began) && cdbmake_start(&t.cdb, fd) && collect(&t) && store(&t, fd, &began);
    int e = errno;
    if (!done && !why->len)
        (void)failed(&t, "make ", USERS_CDB);
    if (fd != -1)
        close(fd);
    genalloc_free(diuint32, &t.cdb.hplist);
    stralloc_free(&t.breaks);
    stralloc_free(&t.sources);
    stralloc_free(&t.key);
    stralloc_free(&t.value);
    stralloc_free(&t.home);
    return (errno = e, done);
}
