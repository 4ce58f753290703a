#include "control/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/cdb.h>
#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#define ADDRESS_MAX 1000

/* Splits "user 0 uid 0 gid 0 home 0 dash 0 ext 0". Returns 1, or 0 with EPROTO.
 */
static int
entry_scan(struct user *u)
{
    char const *fields[6];
    char const *s = u->storage.s;
    char const *end = s + u->storage.len;

    for (unsigned int i = 0; i < 6; i++) {
        char const *nul = memchr(s, 0, (size_t)(end - s));
        if (!nul)
            return (errno = EPROTO, 0);
        fields[i] = s;
        s = nul + 1;
    }
    u->name = fields[0];
    u->home = fields[3];
    u->dash = fields[4];
    u->ext = fields[5];
    if (!uint320_scan(fields[1], &u->uid) || !uint320_scan(fields[2], &u->gid) || *u->home != '/')
        return (errno = EPROTO, 0);
    return 1;
}

/* Looks one key up; a wildcard's own ext gets `rest` behind it. Returns 1, 0,
 * or -1 with errno. */
static int
look_up(cdb const *c, char const *key, size_t len, char const *rest, size_t restlen, struct user *u)
{
    cdb_data data;
    int got = cdb_find(c, &data, key, (uint32_t)len);

    if (got != 1)
        return got ? (errno = EPROTO, -1) : 0;
    if (!data.len || data.s[data.len - 1])
        return (errno = EPROTO, -1);
    /* The last field is ext; its NUL makes room for the rest. */
    if (!stralloc_copyb(&u->storage, data.s, data.len - 1) || !stralloc_catb(&u->storage, rest, restlen) ||
        !stralloc_0(&u->storage))
        return -1;
    return entry_scan(u) ? 1 : -1;
}

/* A local part: "!joe" NUL, then the longest "!joe-" whose last byte is one of
 * the wildcard characters. */
static int
find_local(cdb const *c, char *key, size_t len, struct user *u)
{
    cdb_data breaks;
    int got = look_up(c, key, len + 1, "", 0, u);

    if (got)
        return got;
    got = cdb_find(c, &breaks, "", 0);
    if (got == -1)
        return (errno = EPROTO, -1);
    if (!got)
        breaks.len = 0;
    for (size_t i = len; i; i--)
        if (i == 1 || (breaks.len && memchr(breaks.s, key[i - 1], breaks.len))) {
            got = look_up(c, key, i, key + i, len - i, u);
            if (got)
                return got;
        }
    return 0;
}

/* A mailbox: "!joe@example.org" NUL, then "!joe-" "@example.org" from the
 * longest, then "!@example.org". */
static int
find_mailbox(cdb const *c, char *key, size_t len, size_t at, struct user *u)
{
    char wild[ADDRESS_MAX + 2];
    int got = look_up(c, key, len + 1, "", 0, u);

    for (size_t i = at; !got && i; i--)
        if (i == 1 || key[i - 1] == '-') {
            memcpy(wild, key, i);
            memcpy(wild + i, key + at, len - at);
            got = look_up(c, wild, i + len - at, key + i, at - i, u);
        }
    return got;
}

/* 1 if the file has changed since we began to make the table. Times of files are coarse: one that changes in the moment of
 * that beginning counts as later. */
static int
is_newer(struct stat const *st, struct stat const *made)
{
    return st->st_mtim.tv_sec > made->st_mtim.tv_sec ||
           (st->st_mtim.tv_sec == made->st_mtim.tv_sec && st->st_mtim.tv_nsec >= made->st_mtim.tv_nsec);
}

/* 1 if something that the table was made from has changed since, -1 with errno
 * if that cannot be told. */
static int
stale(cdb const *c, int fd)
{
    cdb_data sources;
    struct stat made, st;
    int got = cdb_find(c, &sources, "sources", 7);

    if (got != 1)
        return got;
    if (fstat(fd, &made) == -1 || !sources.len || sources.s[sources.len - 1])
        return -1;
    for (char const *s = sources.s; s < sources.s + sources.len; s += strlen(s) + 1)
        if (stat(s, &st) == 0 && is_newer(&st, &made))
            return 1;
    return 0;
}

/* Returns the descriptor, or -1 with errno. */
static int
open_cdb(cdb *c)
{
    int fd = open(USERS_CDB, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || cdb_init_fromfd(c, fd))
        return fd;
    int e = errno;
    close(fd);
    return (errno = e, -1);
}

/* key[0 .. len) in lower case, behind `mark`. */
static void
make_key(char *key, char mark, char const *s, size_t len)
{
    *key++ = mark;
    for (size_t i = 0; i < len; i++)
        key[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    key[len] = 0;
}

/* An alias's file is changed in place more often than the folder is. */
static int
newer(char const *path, int fd)
{
    struct stat made, st;

    return fstat(fd, &made) == -1 || stat(path, &st) == -1 || is_newer(&st, &made);
}

int
users_members(char const *name, size_t len, stralloc *members)
{
    cdb c = CDB_ZERO;
    cdb_data data;
    char key[ADDRESS_MAX + 2];
    int fd, got;

    if (!len || len > ADDRESS_MAX)
        return 0;
    fd = open_cdb(&c);
    if (fd == -1)
        return -1;
    make_key(key, '&', name, len);
    got = cdb_find(&c, &data, key, (uint32_t)len + 1);
    members->len = 0;
    if (got == -1 || (got && (!data.len || data.s[data.len - 1]))) {
        errno = EPROTO;
        got = -1;
    } else if (got ? newer(data.s, fd) : stale(&c, fd)) {
        errno = ESTALE;
        got = -1;
    } else if (got) {
        size_t path = strlen(data.s) + 1;
        got = stralloc_catb(members, data.s + path, data.len - path) ? 1 : -1;
    }
    int e = errno;
    cdb_free(&c);
    close(fd);
    return (errno = e, got);
}

int
users_find(char const *address, size_t len, struct user *u)
{
    cdb c = CDB_ZERO;
    char key[ADDRESS_MAX + 2];
    size_t at = 0;
    int fd, got;

    if (!len || len > ADDRESS_MAX || memchr(address, 0, len))
        return 0;
    fd = open_cdb(&c);
    if (fd == -1)
        return -1;
    make_key(key, '!', address, len);
    for (size_t i = 0; i < len; i++)
        if (address[i] == '@')
            at = i + 1;
    got = at ? find_mailbox(&c, key, len + 1, at, u) : find_local(&c, key, len + 1, u);
    if (!got && stale(&c, fd)) {
        errno = ESTALE;
        got = -1;
    }
    int e = errno;
    cdb_free(&c);
    close(fd);
    return (errno = e, got);
}

int
users_id(char const *name, uint32_t *uid, uint32_t *gid)
{
    char text[1024];
    ssize_t n = openreadnclose("users/ids", text, sizeof text - 1);
    size_t len = strlen(name);

    if (n == -1)
        return 0;
    text[n] = 0;
    for (char const *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) || line[len] != ':')
            continue;
        size_t digits = uint32_scan(line + len + 1, uid);
        char const *rest = line + len + 1 + digits;
        if (!digits || *rest != ':' || !(digits = uint32_scan(rest + 1, gid)) ||
            (rest[1 + digits] && rest[1 + digits] != '\n'))
            return (errno = EPROTO, 0);
        return 1;
    }
    return (errno = ENOENT, 0);
}
