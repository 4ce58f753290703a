#include "lib/pass.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t
pass_send(int sock, void const *bytes, size_t len, int fd, int flags)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    union room room = {.bytes = {0}};
    ssize_t n;

    if (fd != -1) {
        m.msg_control = room.bytes;
        m.msg_controllen = sizeof room.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do
        n = sendmsg(sock, &m, MSG_NOSIGNAL | flags);
    while (n == -1 && errno == EINTR);
    return n;
}

ssize_t
pass_receive(int sock, void *bytes, size_t len, int *fd)
{
    struct iovec part = {.iov_base = bytes, .iov_len = len};
    union room room;
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    ssize_t n;

    *fd = -1;
    do
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    if (!(m.msg_flags & MSG_TRUNC))
        return n;
    if (*fd != -1)
        close(*fd);
    *fd = -1;
    return (errno = EMSGSIZE, -1);
}
