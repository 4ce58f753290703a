#include "lib/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "lib/musl.h"

int
durable_syncfd(int folder)
{
    struct stat st;
    int r;

    do
        r = fsync(folder);
    while (r == -1 && errno == EINTR);
    return r == 0 && fstat(folder, &st) == 0;
}

int
durable_sync(char const *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int done;

    if (fd == -1)
        return 0;
    done = durable_syncfd(fd);
    int e = errno;
    close(fd);
    return (errno = e, done);
}

/* The folder part of a path, "." if it has none. Returns 1, or 0 with ENOMEM. */
static int
parent(stralloc *to, char const *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len && path[len - 1] != '/')
        len--;
    to->len = 0;
    return stralloc_catb(to, len ? path : ".", len ? len : 1) && stralloc_0(to);
}

int
durable_syncparent(char const *path)
{
    stralloc folder = STRALLOC_ZERO;
    int done = parent(&folder, path) && durable_sync(folder.s);
    int e = errno;

    stralloc_free(&folder);
    return (errno = e, done);
}

/* "FOLDER/.new.RANDOM": two writers at once never share one, and readers of folders pass it over. */
static int
temporary(stralloc *to, char const *path)
{
    char name[32];
    unsigned long long random;

    if (getrandom(&random, sizeof random, 0) != sizeof random || !parent(to, path))
        return 0;
    to->len--;
    (void)snprintf(name, sizeof name, "/.new.%016llx", random);
    return stralloc_catb(to, name, strlen(name) + 1);
}

struct attributes {
    mode_t mode;
    uid_t uid; /* -1: as it comes */
    gid_t gid;
    struct timespec const *when;
};

/* All a file shall be, before it has its name. */
static int
dress(int fd, struct attributes const *a)
{
    if ((a->uid != (uid_t)-1 || a->gid != (gid_t)-1) && fchown(fd, a->uid, a->gid) == -1)
        return 0;
    if (fchmod(fd, a->mode) == -1)
        return 0;
    if (!a->when)
        return 1;
    struct timespec const both[2] = {*a->when, *a->when};
    return futimens(fd, both) == 0;
}

static int
replace(char const *path, char const *s, size_t len, struct attributes const *a)
{
    stralloc temp = STRALLOC_ZERO;
    int fd, done;

    if (!temporary(&temp, path))
        return (stralloc_free(&temp), 0);
    fd = open(temp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    done = fd != -1 && allwrite(fd, s, len) == len && dress(fd, a) && fsync(fd) == 0 && rename(temp.s, path) == 0;
    int e = errno;
    if (fd != -1) {
        close(fd);
        if (!done)
            unlink(temp.s);
    }
    stralloc_free(&temp);
    errno = e;
    return done && durable_syncparent(path);
}

int
durable_write(char const *path, char const *s, size_t len, mode_t mode, struct timespec const *when)
{
    struct attributes const a = {mode, (uid_t)-1, (gid_t)-1, when};

    return replace(path, s, len, &a);
}

int
durable_writeas(char const *path, char const *s, size_t len, mode_t mode, uid_t uid, gid_t gid)
{
    struct attributes const a = {mode, uid, gid, NULL};

    return replace(path, s, len, &a);
}

/* In a folder of somebody else's no symbolic link is followed: he could lead root to what is not his. */
static int
enter(int parent, char const *name, int flags)
{
    struct stat st;

    if (fstat(parent, &st) == -1)
        return -1;
    return openat(parent, name,
                  flags | O_DIRECTORY | O_CLOEXEC | (st.st_uid && st.st_uid != geteuid() ? O_NOFOLLOW : 0));
}

/* Opens the folder that the path's last name lies in, and takes that name. Returns it, or -1 with errno. */
static int
enter_parent(char const *path, char name[static NAME_MAX + 1])
{
    int at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (at != -1) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        if (!len || len > NAME_MAX) {
            close(at);
            return (errno = len ? ENAMETOOLONG : ENOENT, -1);
        }
        memcpy(name, path, len);
        name[len] = 0;
        path += len;
        if (!path[strspn(path, "/")])
            return at;
        int next = enter(at, name, O_PATH);
        int e = errno;
        close(at);
        at = next;
        errno = e;
    }
    return -1;
}

int
durable_folderat(int parent, char const *name, mode_t mode, int *made)
{
    int fd;

    *made = mkdirat(parent, name, mode) == 0;
    if (!*made && errno != EEXIST)
        return -1;
    fd = enter(parent, name, O_RDONLY);
    if (fd != -1 && *made && fchmod(fd, mode) == -1) {
        int e = errno;
        close(fd);
        return (errno = e, -1);
    }
    return fd;
}

/* fsync of a folder that is open as a path only. */
static int
sync_path(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int done = fd != -1 && fsync(fd) == 0;
    int e = errno;

    if (fd != -1)
        close(fd);
    return (errno = e, done);
}

int
durable_folder(char const *path, mode_t mode, int *made)
{
    char name[NAME_MAX + 1];
    int parent = enter_parent(path, name);
    int fd;

    if (parent == -1)
        return -1;
    fd = durable_folderat(parent, name, mode, made);
    /* Also if it was there: whoever made it may not have come to its fsync. */
    int good = fd != -1 && sync_path(parent);
    int e = errno;
    close(parent);
    if (fd != -1 && !good)
        close(fd);
    return (errno = e, good ? fd : -1);
}

int
durable_mkdir(char const *path, mode_t mode)
{
    int made;
    int fd = durable_folder(path, mode, &made);

    if (fd == -1)
        return -1;
    close(fd);
    return made;
}

int
durable_unlink(char const *path)
{
    return unlink(path) == 0 && durable_syncparent(path);
}

int
durable_rename(char const *from, char const *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 && durable_syncparent(to) &&
           durable_syncparent(from);
}

static int
by_name(void const *a, void const *b)
{
    return strcmp(*(char const *const *)a, *(char const *const *)b);
}

/* Sorts NUL-terminated names. Returns 1, or 0 with ENOMEM. */
static int
sort(stralloc *names)
{
    stralloc sorted = STRALLOC_ZERO;
    size_t n = 0, i = 0;
    char const **list;

    for (size_t at = 0; at < names->len; at++)
        n += !names->s[at];
    list = n ? malloc(n * sizeof *list) : 0;
    if (!n)
        return 1;
    if (!list || !stralloc_ready(&sorted, names->len))
        return (free(list), 0);
    for (size_t at = 0; at < names->len; at += strlen(names->s + at) + 1)
        list[i++] = names->s + at;
    qsort(list, n, sizeof *list, by_name);
    for (i = 0; i < n; i++)
        (void)stralloc_catb(&sorted, list[i], strlen(list[i]) + 1);
    free(list);
    stralloc_free(names);
    *names = sorted;
    return 1;
}

int
durable_names(char const *folder, stralloc *names)
{
    DIR *d = opendir(folder);
    int good = d != 0;

    names->len = 0;
    while (good) {
        errno = 0;
        struct dirent const *entry = readdir(d);
        if (!entry) {
            good = !errno;
            break;
        }
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            good = stralloc_catb(names, entry->d_name, strlen(entry->d_name) + 1);
    }
    int e = errno;
    if (d)
        closedir(d);
    errno = e;
    return good && sort(names);
}
