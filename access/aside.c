#include "access/aside.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>

#include "lib/confine.h"

#define MEMORY 67108864
#define DESCRIPTORS 64 /* one to a resolver, beside those that came along */

int
aside_confine(int inet)
{
    struct confine const c = {
        .may = inet ? CONFINE_INET : 0,
        .as = MEMORY,
        .nofile = DESCRIPTORS,
        .fsize = CONFINE_SAME, /* it can open no file */
        .nproc = 0,
    };

    return confine(&c);
}

/* The child's end: its errno, then the record. */
static void
work_and_exit(aside_work *work, void *data, void *record, size_t len, int fd)
{
    int e = work(record, data) ? 0 : errno ? errno : EPROTO;

    _exit(allwrite(fd, (char const *)&e, sizeof e) != sizeof e || allwrite(fd, record, len) != len);
}

int
aside_run(aside_work *work, void *data, void *record, size_t len)
{
    int p[2], e, status;

    if (pipecoe(p) == -1)
        return 0;
    pid_t pid = fork();
    if (!pid) {
        close(p[0]);
        work_and_exit(work, data, record, len, p[1]);
    }
    int failed = errno;
    close(p[1]);
    size_t got = pid == -1 ? 0 : allread(p[0], (char *)&e, sizeof e);
    int good = got == sizeof e && (e || allread(p[0], record, len) == len);
    close(p[0]);
    if (pid == -1)
        return (errno = failed, 0);
    if (wait_pid(pid, &status) == -1 || !good)
        return (errno = EPROTO, 0);
    return e ? (errno = e, 0) : 1;
}
