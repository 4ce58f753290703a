/* Maildir delivery, exactly once: the name is the same at every attempt, so
 * that the second finds the first. Data and then the name are durable before
 * anybody is told; qmail's and everybody's missing fsync of new/ is here. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/random.h>
#include <skalibs/types.h>

#include "lib/durable.h"
#include "local/delivery.h"
#include "local/dotqmail.h"

#define NAME_SIZE 128

struct maildir {
    char const *path; /* with '/' at the end */
    int home;
    int new;
    char name[NAME_SIZE];
    uint64_t size; /* of the file */
};

/* "ID.RECIPIENT.LINE": no host name, queue files travel. */
static int
make_name(char name[static NAME_SIZE], struct delivery const *d, unsigned int line)
{
    size_t n = strlen(d->id);

    if (n > NAME_SIZE - 2 * UINT32_FMT - 3)
        return (errno = ENAMETOOLONG, 0);
    memcpy(name, d->id, n);
    name[n++] = '.';
    n += uint32_fmt(name + n, d->index);
    name[n++] = '.';
    n += uint32_fmt(name + n, line);
    name[n] = 0;
    return 1;
}

static int
open_folder(struct maildir const *m, char const *which)
{
    char path[DOTQMAIL_PATH_MAX + 8];

    memcpy(path, m->path, strlen(m->path));
    strcpy(path + strlen(m->path), which);
    return openat(m->home, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes a Maildir that is missing, and makes that durable. */
static int
make_folders(struct maildir const *m)
{
    static char const *const names[] = {"tmp", "cur", "new"};
    int good = mkdirat(m->home, m->path, 0700) == 0 || errno == EEXIST;
    int fd = good ? open_folder(m, "") : -1;

    if (fd == -1)
        return 0;
    for (unsigned int i = 0; good && i < 3; i++)
        good = mkdirat(fd, names[i], 0700) == 0 || errno == EEXIST;
    good = good && durable_syncfd(fd);
    int e = errno;
    close(fd);
    errno = e;
    fd = good ? openat(m->home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd == -1)
        return 0;
    good = durable_syncfd(fd);
    e = errno;
    close(fd);
    return (errno = e, good);
}

/* Asks cur/ for "NAME" or "NAME:flags": a reader took it there. Returns 1, 0,
 * or -1 with errno. */
static int
in_cur(struct maildir const *m)
{
    int fd = open_folder(m, "cur");
    DIR *dir = fd == -1 ? 0 : fdopendir(fd);
    size_t len = strlen(m->name);
    int found = 0;

    if (!dir) {
        int e = errno;
        if (fd != -1)
            close(fd);
        return e == ENOENT ? 0 : (errno = e, -1);
    }
    for (struct dirent *entry; !found && (errno = 0, entry = readdir(dir));)
        found = !strncmp(entry->d_name, m->name, len) && (!entry->d_name[len] || entry->d_name[len] == ':');
    if (!found && errno)
        found = -1;
    /* The reader's rename may not be on disk yet, our report must not be
     * earlier. */
    if (found == 1 && (!durable_syncfd(fd) || !durable_syncfd(m->new)))
        found = -1;
    int e = errno;
    closedir(dir);
    return (errno = e, found);
}

/* Asks new/ for the name. Returns 1 it is there, whole; 0 it is not; -1 with
 * errno. */
static int
in_new(struct maildir const *m)
{
    struct stat st;

    if (fstatat(m->new, m->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != m->size)
        return (errno = EEXIST, -1);
    /* The attempt that made it may have died before this. */
    return durable_syncfd(m->new) ? 1 : -1;
}

static int
fill(struct delivery const *d, int fd)
{
    return message_copy(d->message, (struct bytes){d->prefix.s, d->prefix.len}, fd) == 1 && fsync(fd) == 0;
}

/* Links it into new/ and makes that durable. Returns 1; 0 with errno: not
 * delivered, or not surely. */
static int
publish(struct maildir const *m, int from, char const *path, int flags)
{
    if (linkat(from, path, m->new, m->name, flags) == 0)
        return durable_syncfd(m->new);
    if (errno != EEXIST)
        return 0;
    return in_new(m) == 1;
}

/* A file without a name leaves no debris, whatever happens. Returns 1, 0 with
 * errno; -1: there is no O_TMPFILE, or no /proc, here. */
static int
deliver_unnamed(struct maildir const *m, struct delivery const *d)
{
    char path[] = "/proc/self/fd/\0\0\0\0\0\0\0\0\0\0";
    int fd = openat(m->new, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    int done;

    if (fd == -1)
        return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ? -1 : 0;
    uint32_fmt(path + 14, (uint32_t)fd);
    done = fill(d, fd);
    if (done) {
        done = publish(m, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
        if (!done && errno == ENOENT)
            done = -1;
    }
    int e = errno;
    close(fd);
    return (errno = e, done);
}

/* The old way: a name in tmp/ that nobody else has, even an attempt that still
 * runs. What a crash leaves there is removed by mail readers after 36 hours. */
static int
deliver_named(struct maildir const *m, struct delivery const *d)
{
    char name[NAME_SIZE + 20];
    int tmp = open_folder(m, "tmp");
    int fd = -1, done = 0;

    if (tmp == -1)
        return 0;
    strcpy(name, m->name);
    strcat(name, ".");
    size_t len = strlen(name);
    random_name(name + len, 16);
    name[len + 16] = 0;
    fd = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd != -1) {
        done = fill(d, fd) && publish(m, tmp, name, 0);
        int e = errno;
        unlinkat(tmp, name, 0);
        close(fd);
        errno = e;
    }
    int e = errno;
    close(tmp);
    return (errno = e, done);
}

static int
failed(struct outcome *o, char const *path)
{
    int e = errno;
    char const *code = e == ENOSPC ? "4.3.1" : e == EDQUOT ? "4.2.2" : "4.3.0";

    return outcome_set(o, 'Z', code, "Unable to deliver to Maildir", path, e);
}

int
maildir_deliver(struct delivery *d, char const *path, unsigned int line, struct outcome *o)
{
    struct maildir m = {.path = path, .home = d->homefd};
    int seen = 0, done = 0;

    m.size = d->prefix.len + d->message->length;
    if (!make_name(m.name, d, line))
        return failed(o, path);
    m.new = open_folder(&m, "new");
    if (m.new == -1 && errno == ENOENT && d->mailbox &&make_folders(&m))
        m.new = open_folder(&m, "new");
    if (m.new == -1 && errno == EACCES)
        return -1;
    if (m.new == -1)
        return outcome_set(o, 'Z', "4.2.1", "Unable to open Maildir", path, errno);
    if (d->again && (seen = in_new(&m)) == 0)
        seen = in_cur(&m);
    if (seen == 0)
        done = deliver_unnamed(&m, d);
    if (done == -1)
        done = deliver_named(&m, d);
    if (seen != 1 && done != 1)
        failed(o, path);
    close(m.new);
    return seen == 1 || done == 1;
}
