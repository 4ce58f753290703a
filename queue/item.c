#include "queue/item.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "queue/envelope.h"

char const *
item_word(enum item_state state)
{
    static char const *const words[ITEM_STATES] = {"new", "wait", "hold", "bad"};

    return words[state];
}

int
item_open_status(char status)
{
    return status != STATUS_DONE && status != STATUS_SUCCEEDED && status != STATUS_BOUNCED;
}

struct bytes
item_domain(struct bytes address)
{
    char const *at = address.len ? memrchr(address.s, '@', address.len) : 0;

    if (!at)
        return (struct bytes){"", 0};
    return (struct bytes){at + 1, (size_t)(address.s + address.len - at - 1)};
}

int
item_young(struct item const *i, uint64_t now)
{
    return i->state != ITEM_BAD && (uint64_t)i->st.st_mtime + ITEM_COPYING > now;
}

/* What stands beside a file that was set aside, one line. */
static void
read_beside(struct item *i)
{
    char name[ITEM_PATH + 4];
    int fd;

    *i->beside = 0;
    if (i->state != ITEM_BAD && i->state != ITEM_HOLD)
        return;
    (void)snprintf(name, sizeof name, "%s.why", i->path);
    fd = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1)
        return;
    ssize_t n = read(fd, i->beside, sizeof i->beside - 1);
    close(fd);
    i->beside[n > 0 ? n : 0] = 0;
    i->beside[strcspn(i->beside, "\n")] = 0;
}

/* Attempts and the last reply. What an operator did is no attempt, nor is a notice of delay. */
static void
count(struct item *i)
{
    struct bytes log = {i->log.s, i->log.len};
    struct file_event e;
    uint64_t before = 0;

    while (file_event_next(&log, &e)) {
        if (e.class == EVENT_OPERATOR || e.class == 'W')
            continue;
        i->tries += !i->tries || e.time != before; /* one attempt may have several replies */
        before = e.time;
        i->last = e;
    }
}

static int
read_log(struct item *i)
{
    off_t begin = file_log(&i->file.header);
    off_t len = i->st.st_size - begin;

    i->log.len = 0;
    i->tries = 0;
    if (len > ITEM_LOG_READ_MAX) { /* the line that is cut there has a wrong checksum */
        begin += len - ITEM_LOG_READ_MAX;
        len = ITEM_LOG_READ_MAX;
    }
    if (len <= 0)
        return 1;
    if (!stralloc_ready(&i->log, (size_t)len))
        return 0;
    ssize_t n = pread(i->fd, i->log.s, (size_t)len, begin);
    if (n == -1)
        return 0;
    i->log.len = (size_t)n;
    count(i);
    return 1;
}

static void
read_head(struct item *i)
{
    struct record r = {.namelen = 0};

    memset(i->held, 0, sizeof i->held);
    i->from = (struct bytes){"", 0};
    i->arrival = (uint64_t)i->st.st_mtime;
    if (i->why)
        return;
    if (envelope_find(i->file.envelope, "time", &r.value) == 1)
        (void)record_uint(&r, &i->arrival);
    (void)envelope_find(i->file.envelope, "from", &i->from);
}

int
item_read(struct item *i, int prove)
{
    char const *why = "the message's checksum is wrong";
    int good;

    i->why = 0;
    if (fstat(i->fd, &i->st) == -1)
        return 0;
    good = file_read(i->fd, &i->file, &why);
    if (good == 1 && prove && i->st.st_size >= FILE_WHOLE)
        good = file_prove(i->fd, &i->file.header);
    if (good == 1 && !read_log(i))
        good = -1;
    if (!good) {
        i->why = why;
        i->log.len = 0;
        i->tries = 0;
    }
    if (good == -1)
        return 0;
    read_head(i);
    read_beside(i);
    return 1;
}

int
item_open(struct item *i, char const *folder, enum item_state state, char const *id, int prove)
{
    i->state = state;
    i->id = id;
    (void)snprintf(i->path, sizeof i->path, "%s/%s", folder, id);
    i->fd = open(i->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (i->fd == -1 && (errno == ELOOP || errno == ENXIO)) { /* a link, a socket: no file, whatever it leads to */
        i->why = "it is no file";
        i->tries = 0;
        i->log.len = 0;
        if (lstat(i->path, &i->st) == -1)
            return errno == ENOENT ? 0 : -1;
        read_head(i);
        read_beside(i);
        return 1;
    }
    if (i->fd == -1)
        return errno == ENOENT ? 0 : -1;
    if (item_read(i, prove))
        return 1;
    int e = errno;
    item_close(i);
    return (errno = e, -1);
}

void
item_close(struct item *i)
{
    if (i->fd != -1)
        close(i->fd);
    i->fd = -1;
}

void
item_free(struct item *i)
{
    item_close(i);
    file_free(&i->file);
    stralloc_free(&i->log);
}
