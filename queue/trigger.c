#include "queue/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/layout.h"

/* A fifo holds 64 KiB, whole pages; a reader who empties half of that in one go
 * cannot know that no hint was refused. */
#define NEARLY_FULL 32768u

/* Opened for both directions a fifo has a reader, us: neither ENXIO nor EPIPE,
 * hints stay for pneu-send's next start, and its own end never reads an end of
 * file. */
static int
both_ends(void)
{
    return open(QUEUE_TRIGGER, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
}

int
trigger_open(void)
{
    return both_ends();
}

void
trigger_pull(int fd, char const *id)
{
    char line[TRIGGER_WORD];
    size_t n = strnlen(id, sizeof line - 1);
    ssize_t r;

    memcpy(line, id, n);
    line[n++] = '\n';
    do
        r = write(fd, line, n);
    while (r == -1 && errno == EINTR);
}

int
trigger_listen(struct trigger *t)
{
    struct stat st;

    t->len = t->taken = 0;
    t->run = 0;
    t->fd = both_ends();
    if (t->fd == -1)
        return 0;
    if (fstat(t->fd, &st) == 0 && S_ISFIFO(st.st_mode))
        return 1;
    close(t->fd);
    t->fd = -1;
    return (errno = EPROTO, 0);
}

/* Brings more bytes. Returns as trigger_next; TRIGGER_NEW: there are some. */
static int
fill(struct trigger *t)
{
    ssize_t n;

    t->len -= t->taken;
    memmove(t->buf, t->buf + t->taken, t->len);
    t->taken = 0;
    if (t->len == sizeof t->buf) { /* no line is that long */
        t->len = 0;
        return TRIGGER_SCAN;
    }
    do
        n = read(t->fd, t->buf + t->len, sizeof t->buf - t->len);
    while (n == -1 && errno == EINTR);
    if (n <= 0) {
        t->run = 0;
        return n == 0 || errno == EAGAIN ? TRIGGER_NONE : TRIGGER_ERROR;
    }
    t->len += (size_t)n;
    t->run += (uint32_t)n;
    if (t->run < NEARLY_FULL)
        return TRIGGER_NEW;
    t->run = 0;
    return TRIGGER_SCAN;
}

static int
is_domain(char const *line, size_t n)
{
    if (n < 2 || n >= TRIGGER_WORD || *line != '@')
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((unsigned char)line[i] <= ' ' || line[i] == '@' || line[i] == '/' || line[i] == 0x7f)
            return 0;
    return 1;
}

int
trigger_next(struct trigger *t, char word[static TRIGGER_WORD])
{
    for (;;) {
        char const *line = t->buf + t->taken;
        char const *end = memchr(line, '\n', t->len - t->taken);
        if (end) {
            size_t n = (size_t)(end - line);
            t->taken += n + 1;
            if (n == strlen(TRIGGER_ALL_LINE) && !memcmp(line, TRIGGER_ALL_LINE, n))
                return TRIGGER_ALL;
            if (!id_valid(line, n) && !is_domain(line, n))
                return TRIGGER_SCAN;
            *word = 0;
            strncat(word, *line == '@' ? line + 1 : line, *line == '@' ? n - 1 : n);
            return *line == '@' ? TRIGGER_DOMAIN : TRIGGER_NEW;
        }
        int r = fill(t);
        if (r != TRIGGER_NEW)
            return r;
    }
}
