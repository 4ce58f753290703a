/* Appending to an mbox. It cannot be made proof against a crash as a Maildir
 * is: a program that dies half way leaves half a message. A failure takes it
 * back. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/buffer.h>

#include "lib/durable.h"
#include "local/delivery.h"
#include "local/dotqmail.h"
#include "local/quoting.h"

#define LOCK_SECONDS 30
#define LOCK_STEP_MS 50

/* flock, as qmail takes it, and a record lock, as most mail readers do, of the
 * kind that other closes do not drop. */
static int
try_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Returns 1, or 0 with errno, EAGAIN if somebody held it all the time. */
static int
lock(int fd)
{
    struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};

    for (int i = 0; i < LOCK_SECONDS * 1000 / LOCK_STEP_MS; i++) {
        if (try_lock(fd))
            return 1;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return 0;
        nanosleep(&step, 0);
    }
    return (errno = EAGAIN, 0);
}

/* Half a message may stand at the end: who wrote it was killed, or the power failed. It is ended as a whole one is, by an empty
 * line, or what follows would be part of it. */
static int
end_last(int fd, off_t size, buffer *b)
{
    char last[] = "\n\n";
    size_t n = size < 2 ? (size_t)size : 2;
    size_t missing;

    if (!size)
        return 1;
    ssize_t got = pread(fd, last + 2 - n, n, size - (off_t)n);
    if (got != (ssize_t)n)
        return (got == -1 ? 0 : (errno = EIO), 0);
    missing = last[1] != '\n' ? 2 : last[0] != '\n';
    return buffer_put(b, "\n\n", missing) == (ssize_t)missing;
}

static int
append(struct delivery *d, int fd, off_t size)
{
    char space[8192];
    buffer b = BUFFER_INIT(&buffer_write, fd, space, sizeof space);
    struct quoting q = QUOTING_ZERO;
    char const *s;
    ssize_t n = 0;
    int good = end_last(fd, size, &b) && buffer_put(&b, d->from.s, d->from.len) >= 0 &&
               buffer_put(&b, d->prefix.s, d->prefix.len) >= 0;

    for (uint64_t at = 0; good && (n = message_read(d->message, at, &s)) > 0; at += (uint64_t)n)
        good = quoting_put(&q, &b, s, (size_t)n);
    return good && n == 0 && quoting_end(&q, &b) && buffer_flush(&b) && fsync(fd) == 0;
}

/* The name is made durable too, and not only a new one: who made the file may have been killed before he came to this. */
static int
sync_folder(int home, char const *path)
{
    char folder[DOTQMAIL_PATH_MAX + 1];
    size_t len = (size_t)(strrchr(path, '/') - path);

    memcpy(folder, path, len);
    strcpy(folder + len, len ? "" : "/");
    int fd = openat(home, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    int done = durable_syncfd(fd);
    int e = errno;
    close(fd);
    return (errno = e, done);
}

/* A regular file with one name: a device or a second name of somebody's file
 * was not meant. Returns its size, or -1 with errno. */
static off_t
size_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == -1)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return (errno = EPERM, -1);
    return st.st_size;
}

static int
deliver(struct delivery *d, char const *path, int fd, struct outcome *o)
{
    off_t size;

    if (size_of(fd) == -1)
        return outcome_set(o, 'Z', "4.2.1", "Not a plain file with one name", path, 0);
    if (!lock(fd))
        return outcome_set(o, 'Z', "4.2.1", "Unable to lock", path, errno);
    size = size_of(fd);
    if (size == -1)
        return outcome_set(o, 'Z', "4.2.1", "Unable to read", path, errno);
    if (append(d, fd, size) && (sync_folder(d->homefd, path) || (size && errno == EACCES)))
        return 1;
    int e = errno;
    /* Back to what it was; if that fails too, there is nothing left to do. */
    (void)!ftruncate(fd, size);
    return outcome_set(o, 'Z', e == ENOSPC ? "4.3.1" : e == EDQUOT ? "4.2.2" : "4.3.0", "Unable to write", path, e);
}

int
mbox_deliver(struct delivery *d, char const *path, struct outcome *o)
{
    /* Beside the home others may have put a link there: it is not followed. */
    int fd =
        openat(d->homefd, path,
               O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (*path == '/' ? O_NOFOLLOW : 0), 0600);

    if (fd == -1 && errno == EACCES)
        return -1;
    if (fd == -1)
        return outcome_set(o, 'Z', "4.2.1", "Unable to open", path, errno);
    int done = deliver(d, path, fd, o);
    close(fd); /* drops the locks */
    return done;
}

int
file_deliver(struct delivery *d, char const *path, unsigned int line, struct outcome *o)
{
    return path[strlen(path) - 1] == '/' ? maildir_deliver(d, path, line, o) : mbox_deliver(d, path, o);
}
