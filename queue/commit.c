#include "queue/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/crc.h"
#include "lib/durable.h"
#include "queue/file.h"
#include "queue/layout.h"

int
commit_init(struct commit *c)
{
    (void)crc32c(0, "", 0); /* makes its tables, once for all sessions that are forked */
    c->dir = open(QUEUE_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return c->dir != -1;
}

static void
begin(struct commit *c, int token)
{
    c->token = token;
    c->written = c->message = 0;
    c->crc = 0;
    c->buffer.len = 0;
}

int
commit_begin(struct commit *c)
{
    begin(c, 0);
    return id_new(c->id);
}

void
commit_begin_token(struct commit *c, uint32_t uid, char const *token, size_t len)
{
    begin(c, 1);
    id_token(c->id, uid, token, len);
}

/* ".ID", which nobody takes for a message. */
static void
dotted(struct commit const *c, char name[static ID_SIZE + 1])
{
    name[0] = '.';
    memcpy(name + 1, c->id, ID_SIZE);
}

static int
make(struct commit *c)
{
    char name[ID_SIZE + 1];

    c->dotted = 0;
    c->fd = openat(c->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (c->fd != -1)
        return 1;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
        return 0;
    dotted(c, name);
    if (c->token && unlinkat(c->dir, name, 0) == -1 && errno != ENOENT) /* a former try's, cut off */
        return 0;
    c->fd = openat(c->dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    c->dotted = c->fd != -1;
    return c->fd != -1;
}

/* Writes the buffer out. The room for the header stays a hole until the end. */
static int
flush(struct commit *c)
{
    size_t skip = c->written ? 0 : FILE_HEADER;

    if (c->fd == -1 && !make(c))
        return 0;
    if (!file_write(c->fd, c->buffer.s + skip, c->buffer.len - skip, (off_t)(c->written + skip)))
        return 0;
    c->written += c->buffer.len;
    c->buffer.len = 0;
    return 1;
}

static int
room(struct commit *c, size_t len)
{
    if (!stralloc_ready(&c->buffer, c->buffer.len + FILE_HEADER + len))
        return 0;
    if (!c->written && !c->buffer.len) {
        memset(c->buffer.s, ' ', FILE_HEADER);
        c->buffer.len = FILE_HEADER;
    }
    return 1;
}

int
commit_data(struct commit *c, char const *s, size_t len)
{
    if (!room(c, len) || !stralloc_catb(&c->buffer, s, len))
        return 0;
    c->crc = crc32c(c->crc, s, len);
    c->message += len;
    return c->buffer.len < COMMIT_BUFFER || flush(c);
}

static int
sync_fd(int fd)
{
    int r;

    do
        r = fsync(fd);
    while (r == -1 && errno == EINTR);
    return r == 0;
}

/* What is not written yet, and the header: with the rest if it is all one
 * write, else after it. */
static int
finish(struct commit *c, struct bytes envelope, uint32_t recipients)
{
    char header[FILE_HEADER];
    struct file_header h = {.message = c->message, .envelope = (uint32_t)envelope.len, .recipients = recipients};

    h.message_crc = c->crc;
    h.envelope_crc = crc32c(0, envelope.s, envelope.len);
    file_header_fmt(header, &h);
    if (!room(c, envelope.len + recipients) || !stralloc_catb(&c->buffer, envelope.s, envelope.len))
        return 0;
    memset(c->buffer.s + c->buffer.len, STATUS_TODO, recipients);
    c->buffer.len += recipients;
    if (!c->written && c->fd == -1) {
        memcpy(c->buffer.s, header, FILE_HEADER);
        return make(c) && file_write(c->fd, c->buffer.s, c->buffer.len, 0);
    }
    return flush(c) && file_write(c->fd, header, FILE_HEADER, 0);
}

/* Gives the file its name. Without the right to link a bare descriptor (kernels
 * before 6.10) by way of /proc. */
static int
name_it(struct commit *c)
{
    char name[ID_SIZE + 1];
    char proc[sizeof "/proc/self/fd/" + INT_FMT] = "/proc/self/fd/";

    if (c->dotted) {
        dotted(c, name);
        if (linkat(c->dir, name, c->dir, c->id, 0) == -1)
            return 0;
        unlinkat(c->dir, name, 0); /* if it stays, its age tells */
        c->dotted = 0;
        return 1;
    }
    if (linkat(c->fd, "", c->dir, c->id, AT_EMPTY_PATH) == 0)
        return 1;
    if (errno == EEXIST)
        return 0;
    proc[14 + int_fmt(proc + 14, c->fd)] = 0;
    return linkat(AT_FDCWD, proc, c->dir, c->id, AT_SYMLINK_FOLLOW) == 0;
}

/* 1 if a file other than ours is this token's message, in new/ (first 0) or wherever pneu-send took it by now, 0 if not, -1
 * on error. The order is that of a message's way, so it cannot slip past: each move makes the new name before it removes
 * the old one. */
static int
known(struct commit const *c, unsigned int first)
{
    char wait[sizeof QUEUE_WAIT + 4 + ID_LEN];
    char hold[sizeof QUEUE_HOLD + 1 + ID_LEN];
    char const *const names[] = {c->id, wait, hold};
    struct stat st, own = {.st_ino = 0};

    if (c->fd != -1 && fstat(c->fd, &own) == -1)
        return -1;
    snprintf(wait, sizeof wait, QUEUE_WAIT "/%s/%s", c->id + ID_LEN - 2, c->id);
    snprintf(hold, sizeof hold, QUEUE_HOLD "/%s", c->id);
    for (unsigned int i = first; i < 3; i++)
        if (fstatat(i ? AT_FDCWD : c->dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
            if (c->fd == -1 || st.st_ino != own.st_ino || st.st_dev != own.st_dev)
                return 1;
        } else if (errno != ENOENT)
            return -1;
    return 0;
}

/* Names the file of a token. Another client may have queued it since we looked, and pneu-send have moved that file out of
 * new/: then ours goes again. It is locked meanwhile, so that nobody tries it. */
static int
name_token(struct commit *c)
{
    int other = 0;

    if (flock(c->fd, LOCK_EX | LOCK_NB) == -1)
        return 0;
    if (name_it(c))
        other = known(c, 1);
    else if (errno != EEXIST)
        return 0;
    if (other == 1 && unlinkat(c->dir, c->id, 0) == -1 && errno != ENOENT)
        other = -1;
    (void)flock(c->fd, LOCK_UN);
    return other != -1;
}

/* Names the file, then syncs folder and file: the first of the two waits for the disk, the second finds its work done by
 * the same commit of the journal. The data is on its way before the name is made, so that no journal names an empty file.
 * Where a file system has it otherwise, a cut may leave a name that leads to no whole file: its checksums tell, which
 * every reader proves in a file of this size, and nobody was told yes. */
static int
name_first(struct commit *c)
{
    if (sync_file_range(c->fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == -1 || !name_it(c))
        return 0;
    if (sync_fd(c->dir) && sync_fd(c->fd))
        return 1;
    int e = errno;
    unlinkat(c->dir, c->id, 0); /* nobody knows what the disk has of it */
    return (errno = e, 0);
}

/* Syncs the file, names it, syncs the folder. */
static int
name_last(struct commit *c)
{
    return sync_fd(c->fd) && (c->token ? name_token(c) : name_it(c)) && durable_syncfd(c->dir);
}

int
commit_end(struct commit *c, struct bytes envelope, uint32_t recipients)
{
    int before = c->token ? known(c, 0) : 0;

    /* Where the token is known, whoever made that name may have died before he synced it. */
    if (before)
        return before == 1 && durable_syncfd(c->dir);
    if (!finish(c, envelope, recipients))
        return 0;
    /* A token's name tells others that the message is queued, and may not be earlier than that. */
    return c->token || c->dotted || c->written || c->buffer.len > FILE_WHOLE ? name_last(c) : name_first(c);
}

void
commit_close(struct commit *c)
{
    int e = errno;

    if (c->dotted) {
        char name[ID_SIZE + 1];
        dotted(c, name);
        unlinkat(c->dir, name, 0);
        c->dotted = 0;
    }
    if (c->fd != -1)
        close(c->fd);
    c->fd = -1;
    errno = e;
}
