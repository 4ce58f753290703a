#include "lib/nameless.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
nameless_open(void)
{
    char const *folder = getenv("TMPDIR");
    char name[] = "/tmp/pneu.XXXXXX";
    int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd != -1 || errno == EACCES || errno == ENOSPC)
        return fd;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd != -1)
        unlink(name);
    return fd;
}

int
nameless_reopen(int fd, int to)
{
    char name[sizeof "/proc/self/fd/" + 16];
    int again;

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    again = open(name, O_RDONLY | O_CLOEXEC);
    if (again == -1 || again == to) /* it may be that already: then dup2 would leave it to be closed */
        return again == to && fcntl(to, F_SETFD, 0) == 0;
    int done = dup2(again, to) == to;
    int e = errno;
    close(again);
    return (errno = e, done);
}
