#include "send/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "send/message.h"
#include "send/sync.h"

/* Bytes, as many as pneu-bounce reads: what was said once must not be forgotten and said again. */
#define LOG_MOST 16777216

int
marks_log(struct message const *m, stralloc *to)
{
    off_t begin = file_log(&m->file.header);
    struct stat st;
    ssize_t n;

    if (fstat(m->fd, &st) == -1)
        return 0;
    if (st.st_size - begin > LOG_MOST)
        begin = st.st_size - LOG_MOST; /* the line that is cut there has a wrong checksum */
    if (st.st_size <= begin || !stralloc_ready(to, (size_t)(st.st_size - begin)))
        return 0;
    n = pread(m->fd, to->s, (size_t)(st.st_size - begin), begin);
    if (n <= 0) {
        stralloc_free(to);
        return 0;
    }
    to->len = (size_t)n;
    return 1;
}

static void
complain(struct message const *m, char const *event)
{
    struct log l;
    int e = errno;

    log_start(&l, event);
    log_str(&l, "msg", m->id);
    log_errno(&l, e);
    log_end(&l);
}

/* Returns the descriptor, or -1. */
static int
open_again(struct message *m)
{
    char path[MESSAGE_PATH];
    struct stat st;
    int fd;

    message_path(path, m->id, m->waits);
    fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1) {
        if (errno == ENOENT)
            m->gone = 1;
        else
            complain(m, "openfailed");
        return -1;
    }
    if (fstat(fd, &st) == -1 || st.st_ino != m->ino || st.st_dev != m->dev) {
        m->gone = 1;
        close(fd);
        return -1;
    }
    return fd;
}

/* The history is worth a line, never a delivery: where there is no room for it, it ends. */
static void
write_log(struct message *m, int fd)
{
    struct stat st;

    if (!m->log.len)
        return;
    if (!m->logend && !file_logend(m->fd, &m->file.header, &m->logend)) {
        m->log.len = 0;
        return;
    }
    if (fstat(fd, &st) == 0 && st.st_size > m->logend && ftruncate(fd, m->logend) == -1)
        complain(m, "logfailed");
    if (pwrite(fd, m->log.s, m->log.len, m->logend) != (ssize_t)m->log.len)
        (void)!ftruncate(fd, m->logend);
    else
        m->logend += (off_t)m->log.len;
    m->log.len = 0;
}

/* One write for all that changed; the bytes between are what the file holds already. */
static int
write_status(struct send *s, struct message *m, int fd)
{
    size_t len = m->high - m->low;

    if (m->low >= m->high && !m->synclog)
        return 1;
    if (m->low < m->high &&
        pwrite(fd, m->file.status + m->low, len, file_status(&m->file.header) + m->low) != (ssize_t)len) {
        complain(m, "markfailed");
        return 0;
    }
    m->low = m->high = 0;
    m->synclog = 0;
    if (!sync_ask(&s->syncs, (struct synced){.message = m, .unmarked = m->unmarked}, fd, 0)) {
        if (fdatasync(fd) == -1) { /* no helper has room: then we wait ourselves */
            complain(m, "syncfailed");
            m->unclean = 1;
        }
        s->unmarked -= m->unmarked;
    }
    m->unmarked = 0;
    return 1;
}

/* What cannot be marked must not keep the places of others. Returns 1 if it never will be. */
static int
no_mark(struct send *s, struct message *m)
{
    s->unmarked -= m->unmarked;
    m->unmarked = 0;
    return m->gone;
}

int
marks_write(struct send *s, struct message *m)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)m->again_at}};
    int good;
    int fd;

    if (m->gone)
        return no_mark(s, m);
    fd = open_again(m);
    if (fd == -1)
        return no_mark(s, m);
    write_log(m, fd);
    good = write_status(s, m, fd) || no_mark(s, m);
    if (m->attempt == TRY_OVER && m->again_at)
        (void)futimens(fd, times); /* a hint only */
    close(fd);
    return good;
}
