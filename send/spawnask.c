#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "send/spawnroot.h"

static ssize_t
receive(int fd, char answer[static SPAWNROOT_MAX], int *along)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = answer, .iov_len = SPAWNROOT_MAX};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t n;

    do
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : 0;
    *along = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof *along))
        memcpy(along, CMSG_DATA(c), sizeof *along);
    return n;
}

int
spawnroot_ask(int fd, char kind, char const *address, size_t len, char answer[static SPAWNROOT_MAX + 1])
{
    int along;

    *answer = 0;
    if (len > SPAWNROOT_MAX - 1) {
        strcpy(answer, "D5.1.1 Address too long");
        return -1;
    }
    answer[0] = kind;
    memcpy(answer + 1, address, len);
    ssize_t n = send(fd, answer, len + 1, MSG_NOSIGNAL) == -1 ? -1 : receive(fd, answer, &along);
    answer[n > 0 ? n : 0] = 0;
    if (n <= 0)
        return -1;
    if (*answer == 'K' && along == -1)
        strcpy(answer, "Z4.3.0 Out of descriptors");
    return along;
}
