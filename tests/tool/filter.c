/* A filter as pneu-filterd runs it: filter NAME PROGRAM... puts "X-Filter: NAME" on top of the message on descriptor 0, in a file,
 * and goes on as the program. What fails is told by the exit code. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "queue/exits.h"

static int
copy(int to)
{
    char piece[65536];

    for (;;) {
        ssize_t n = fd_read(0, piece, sizeof piece);
        if (n <= 0)
            return n == 0;
        if (allwrite(to, piece, (size_t)n) < (size_t)n)
            return 0;
    }
}

int
main(int argc, char **argv)
{
    char field[200];
    int fd = memfd_create("filtered", MFD_CLOEXEC);

    if (argc < 3 || fd == -1)
        return QUEUE_MEMORY;
    int n = snprintf(field, sizeof field, "X-Filter: %.100s\n", argv[1]);
    if (allwrite(fd, field, (size_t)n) < (size_t)n || !copy(fd))
        return QUEUE_WRITE;
    if (lseek(fd, 0, SEEK_SET) == -1 || dup2(fd, 0) == -1)
        return QUEUE_READ;
    execvp(argv[2], argv + 2);
    return QUEUE_BUG;
}
