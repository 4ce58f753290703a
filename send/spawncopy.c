#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "send/spawn.h"

#define IN_MEMORY 1048576

static int
fill(int to, int from, uint64_t offset, uint64_t length)
{
    off_t at = (off_t)offset;

    while (length) {
        ssize_t n = sendfile(to, from, &at, length < 1 << 30 ? length : 1 << 30);
        if (n == 0)
            return (errno = EIO, 0); /* shorter than its header says */
        if (n == -1 && errno != EINTR)
            return 0;
        if (n > 0)
            length -= (uint64_t)n;
    }
    return 1;
}

int
spawn_copy(int from, uint64_t offset, uint64_t length, char const *folder)
{
    int small = length <= IN_MEMORY;
    /* For all to read, a program may open /dev/stdin; for none to write. */
    int fd = small ? memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING)
                   : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0444);

    if (fd == -1)
        return -1;
    if (fill(fd, from, offset, length) &&
        (!small || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0))
        return fd;
    int e = errno;
    close(fd);
    return (errno = e, -1);
}

int
spawn_reopen(int fd)
{
    char path[14 + UINT_FMT + 1] = "/proc/self/fd/";

    path[14 + uint_fmt(path + 14, (unsigned int)fd)] = 0;
    return open(path, O_RDONLY | O_CLOEXEC);
}
