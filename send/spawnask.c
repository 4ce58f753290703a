#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pass.h"
#include "send/spawnroot.h"

int
spawnroot_ask(int fd, char kind, char const *address, size_t len, char answer[static SPAWNROOT_MAX + 1])
{
    int along = -1;

    *answer = 0;
    if (len > SPAWNROOT_MAX - 1) {
        strcpy(answer, "D5.1.1 Address too long");
        return -1;
    }
    answer[0] = kind;
    memcpy(answer + 1, address, len);
    ssize_t n = send(fd, answer, len + 1, MSG_NOSIGNAL) == -1 ? -1 : pass_receive(fd, answer, SPAWNROOT_MAX, &along);
    answer[n > 0 ? n : 0] = 0;
    if (n <= 0)
        return -1;
    if (*answer == 'K' && along == -1)
        strcpy(answer, "Z4.3.0 Out of descriptors");
    return along;
}
