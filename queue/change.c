/* Changes within a queued file: its log, its status, its recipients. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/crc.h"
#include "lib/durable.h"
#include "lib/musl.h"
#include "queue/envelope.h"
#include "queue/move.h"
#include "queue/ranges.h"

/* The locked file once more, for writing: the name is ours as long as the lock is. */
static int
open_again(struct item const *i)
{
    struct stat st;
    int fd = open(i->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd != -1 && (fstat(fd, &st) == -1 || st.st_ino != i->st.st_ino || st.st_dev != i->st.st_dev)) {
        close(fd);
        return (errno = ENOENT, -1);
    }
    return fd;
}

/* ---- the log ---- */

static int
put_note(stralloc *to, char class, char const *code, char const *text, struct bytes ranges)
{
    struct file_event const e = {.time = (uint64_t)time(0),
                                 .class = class,
                                 .to = ranges,
                                 .code = {code, strlen(code)},
                                 .remote = {"", 0},
                                 .text = {text, strlen(text)}};

    return file_event_put(to, &e);
}

/* The history is worth a line, never more: where there is no room for it, it ends. */
static void
add_note(struct item *i, int fd, stralloc const *line)
{
    off_t end;

    if (!file_logend(i->fd, &i->file.header, &end))
        return;
    if (i->st.st_size > end && ftruncate(fd, end) == -1)
        return;
    if (!file_write(fd, line->s, line->len, end))
        (void)!ftruncate(fd, end);
}

void
move_note(struct item *i, char class, char const *code, char const *text, struct bytes ranges)
{
    struct timespec const times[2] = {i->st.st_atim, i->st.st_mtim};
    stralloc line = STRALLOC_ZERO;
    int fd = i->why ? -1 : open_again(i);

    if (fd == -1)
        return;
    if (put_note(&line, class, code, text, ranges))
        add_note(i, fd, &line);
    (void)futimens(fd, times); /* the time of its next attempt */
    close(fd);
    stralloc_free(&line);
}

/* ---- recipients ---- */

static int
is_todo(char status)
{
    return item_open_status(status) && status != STATUS_FAILED;
}

static int
is_address(struct bytes b, char const *address, size_t len)
{
    return b.len == len && !memcmp(b.s, address, len);
}

/* Sets the status of those that are meant, in memory, and notes their numbers. 'F': as the recipient wants it. One of the address `but`
 * stays as it is. Returns how many; -1: ENOMEM. */
static int64_t
set(struct item *i, struct select const *s, char status, struct bytes but, stralloc *numbers)
{
    struct bytes cursor = i->file.envelope;
    struct ranges folded = RANGES_ZERO;
    struct record r;
    uint32_t n = 0;
    int64_t many = 0;

    while (envelope_recipient(&cursor, &r)) {
        char *at = i->file.status + n++;
        if (!is_todo(*at) || !select_recipient(s, r.value) || (but.len && is_address(r.value, but.s, but.len)))
            continue;
        *at = status == STATUS_FAILED && !envelope_notify(cursor, "FAILURE", 1) ? STATUS_DONE : status;
        many++;
        if (!ranges_add(&folded, numbers, n - 1))
            return -1;
    }
    return ranges_end(&folded, numbers) ? many : -1;
}

/* The reason is written before the mark: the report is made from it. Returns the file, or -1. */
static int
write_failed(struct item *i, char const *text, stralloc const *numbers)
{
    stralloc line = STRALLOC_ZERO;
    int fd = open_again(i);
    int good = fd != -1 && put_note(&line, 'D', "5.0.0", text, (struct bytes){numbers->s, numbers->len});

    if (good) {
        add_note(i, fd, &line);
        good = file_write(fd, i->file.status, i->file.header.recipients, file_status(&i->file.header));
    }
    int e = errno;
    if (fd != -1 && !good)
        close(fd);
    stralloc_free(&line);
    return good ? fd : (errno = e, -1);
}

int64_t
move_fail(struct item *i, struct select const *s, char const *text, int *written)
{
    stralloc numbers = STRALLOC_ZERO;
    int64_t n = set(i, s, STATUS_FAILED, (struct bytes){"", 0}, &numbers);

    if (n > 0 && (*written = write_failed(i, text, &numbers)) == -1)
        n = -1;
    int e = errno;
    stralloc_free(&numbers);
    return (errno = e, n);
}

/* ---- another address ---- */

struct rewrite {
    stralloc envelope, status, log;
    struct file_header header;
    int fd;
};

#define HIDDEN_PATH (ITEM_PATH + 1) /* of "FOLDER/.ID" */

/* ".ID" beside it */
static void
hidden(char to[static HIDDEN_PATH], char const *path)
{
    char const *id = strrchr(path, '/') + 1;

    (void)snprintf(to, HIDDEN_PATH, "%.*s.%s", (int)(id - path), path, id);
}

static int
address_is_new(struct item const *i, char const *address, size_t len)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;

    while (envelope_recipient(&cursor, &r))
        if (is_todo(i->file.status[n++]) && is_address(r.value, address, len))
            return 0;
    return 1;
}

/* The records behind the to= of that recipient. */
static struct bytes
records_of(struct item const *i, uint32_t number)
{
    struct bytes cursor = i->file.envelope, found = {"", 0};
    struct record r;
    uint32_t n = 0;
    int in = 0;

    while (envelope_next(&cursor, &r) == 1) {
        if (record_is(&r, "to") && (in = n++ == number))
            found.s = cursor.s;
        if (in)
            found.len = (size_t)(cursor.s - found.s);
    }
    return found;
}

/* What the sender asked for goes along. */
static int
put_new(struct rewrite *w, struct item const *i, uint32_t first, char const *address, size_t len)
{
    struct bytes records = records_of(i, first);
    char todo = STATUS_TODO;

    return envelope_put(&w->envelope, "to", address, len) && stralloc_catb(&w->envelope, records.s, records.len) &&
           stralloc_catb(&w->status, &todo, 1);
}

static int
copy(int from, int to, uint64_t len)
{
    char block[16384];
    off_t at = FILE_HEADER;

    while (len) {
        ssize_t n = pread(from, block, len < sizeof block ? (size_t)len : sizeof block, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? (errno = EIO, 0) : 0;
        if (!file_write(to, block, (size_t)n, at))
            return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Locked before it has a name that counts; whole, header last, as with every message. */
static int
write_new(struct rewrite *w, struct item const *i)
{
    char header[FILE_HEADER], path[HIDDEN_PATH];

    hidden(path, i->path);
    if (unlink(path) == -1 && errno != ENOENT) /* of a former try that was cut off */
        return 0;
    w->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (w->fd == -1 || flock(w->fd, LOCK_EX | LOCK_NB) == -1)
        return 0;
    file_header_fmt(header, &w->header);
    return copy(i->fd, w->fd, w->header.message) &&
           file_write(w->fd, w->envelope.s, w->envelope.len, file_envelope(&w->header)) &&
           file_write(w->fd, w->status.s, w->status.len, file_status(&w->header)) &&
           file_write(w->fd, w->log.s, w->log.len, file_log(&w->header)) && file_write(w->fd, header, sizeof header, 0);
}

/* Where the file system cannot exchange names, the new one takes the other's place: under the lock it is the one that was read. */
int
move_replace(char const *path)
{
    char new[HIDDEN_PATH];

    hidden(new, path);
    if (renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return unlink(new) == 0;
    return (errno == EINVAL || errno == ENOSYS) && rename(new, path) == 0;
}

void
move_unwrite(char const *path)
{
    char new[HIDDEN_PATH];

    hidden(new, path);
    (void)unlink(new);
}

static int
prepare(struct rewrite *w, struct item const *i, struct bytes numbers, char const *text)
{
    w->header = i->file.header;
    w->header.envelope = (uint32_t)w->envelope.len;
    w->header.envelope_crc = crc32c(0, w->envelope.s, w->envelope.len);
    w->header.recipients = (uint32_t)w->status.len;
    return stralloc_catb(&w->log, i->log.s, i->log.len) && put_note(&w->log, EVENT_OPERATOR, "", text, numbers);
}

int64_t
move_redirect(struct item *i, struct select const *s, char const *address, size_t len, char const *text, int *written)
{
    struct rewrite w = {.envelope = STRALLOC_ZERO, .status = STRALLOC_ZERO, .log = STRALLOC_ZERO, .fd = -1};
    stralloc numbers = STRALLOC_ZERO;
    int64_t n = set(i, s, STATUS_DONE, (struct bytes){address, len}, &numbers);
    uint32_t first, last;
    struct bytes ranges = {numbers.s, numbers.len};

    if (n > 0 && !(file_range_next(&ranges, &first, &last) == 1 &&
                   stralloc_catb(&w.envelope, i->file.envelope.s, i->file.envelope.len) &&
                   stralloc_catb(&w.status, i->file.status, i->file.header.recipients) &&
                   (!address_is_new(i, address, len) || put_new(&w, i, first, address, len)) &&
                   prepare(&w, i, (struct bytes){numbers.s, numbers.len}, text) && write_new(&w, i)))
        n = -1;
    int e = errno;
    if (n == -1 && w.fd != -1) {
        move_unwrite(i->path);
        close(w.fd);
    }
    *written = w.fd;
    stralloc_free(&w.envelope);
    stralloc_free(&w.status);
    stralloc_free(&w.log);
    stralloc_free(&numbers);
    return (errno = e, n);
}
