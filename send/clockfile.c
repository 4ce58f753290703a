#include "send/clockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/layout.h"

static void
complain(char const *event)
{
    struct log l;
    int e = errno;

    log_start(&l, event);
    log_str(&l, "name", QUEUE_CLOCK);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

/* The kernel draws one at each start of the machine. Where it is not to be had, every start of ours counts as one. */
static void
bootid_read(char id[static CLOCK_BOOTID])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    memset(id, '-', CLOCK_BOOTID);
    if (fd == -1)
        return;
    if (read(fd, id, CLOCK_BOOTID) != CLOCK_BOOTID)
        memset(id, '-', CLOCK_BOOTID);
    close(fd);
}

void
clockfile_open(struct clockfile *f, struct clock *c)
{
    char text[CLOCK_TEXT], id[CLOCK_BOOTID];
    struct timespec boot = {0};
    ssize_t n;

    bootid_read(f->id);
    memcpy(id, f->id, sizeof id);
    if (*id == '-')
        *id = '?'; /* the same as none before */
    f->fd = open(QUEUE_CLOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (f->fd == -1)
        complain("clockfailed");
    else if ((n = pread(f->fd, text, sizeof text, 0)) > 0) {
        (void)clock_gettime(CLOCK_BOOTTIME, &boot);
        errno = 0;
        if (!clock_scan(c, text, (size_t)n, id, (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000))
            complain("clockdamaged");
    }
}

/* A crash between the two may leave the end of a longer one, whose checksum is wrong then. */
void
clockfile_save(struct clockfile *f, struct clock const *c)
{
    char text[CLOCK_TEXT];
    size_t len;

    f->saved = c->boot;
    if (f->fd == -1)
        return;
    len = clock_fmt(c, text, f->id);
    if (pwrite(f->fd, text, len, 0) != (ssize_t)len || ftruncate(f->fd, (off_t)len) == -1)
        complain("clockfailed");
}
