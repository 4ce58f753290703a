#include "remote/single.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "remote/report.h"

static int
copy(int from, int to, uint64_t *length)
{
    char chunk[65536];
    ssize_t n;

    *length = 0;
    while ((n = fd_read(from, chunk, sizeof chunk)) > 0) {
        if (allwrite(to, chunk, (size_t)n) < (size_t)n)
            return 0;
        *length += (uint64_t)n;
    }
    return n == 0;
}

int
single_message(int fd, uint64_t *offset, uint64_t *length)
{
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    int memory;

    if (fstat(fd, &st) == -1)
        return -1;
    if (S_ISREG(st.st_mode) && at != -1) {
        *offset = (uint64_t)at;
        *length = at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
        return fd;
    }
    memory = memfd_create("message", MFD_CLOEXEC);
    *offset = 0;
    return memory == -1 || copy(fd, memory, length) ? memory : -1;
}

void
single_fail(char class, char const *text)
{
    (void)!write(1, &class, 1);
    (void)!write(1, text, strlen(text) + 1);
}

/* Only at the end is known which of qmail-remote's reports is whose. */
static void
report_later(void *data, struct delivery *d)
{
    (void)data;
    (void)d;
}

int
single_send(struct deliver *all, char const *host, char const *sender, char const *const *recipients, int message,
            uint64_t offset, uint64_t length)
{
    struct delivery d = DELIVERY_ZERO;
    struct recipient r = {.from = {sender, strcmp(sender, "#@[]") ? strlen(sender) : 0}};
    stralloc out = STRALLOC_ZERO;

    if (!delivery_begin(&d, message, offset, length))
        return 0;
    for (; *recipients; recipients++, r.index++) {
        r.to = (struct bytes){*recipients, strlen(*recipients)};
        if (!delivery_add(&d, &r))
            return 0;
    }
    deliver(all, &d, (struct bytes){host, strlen(host)}, (struct bytes){0}, report_later, 0);
    return report_print(&d, &out) && allwrite(1, out.s, out.len) == out.len;
}
