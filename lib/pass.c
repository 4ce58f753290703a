#include "lib/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

union room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int
pass_send(int sock, int fd)
{
    char byte = 0;
    struct iovec v = {.iov_base = &byte, .iov_len = 1};
    union room room = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    ssize_t n;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    do
        n = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n == -1 && errno == EINTR);
    return n == 1;
}

int
pass_receive(int sock)
{
    char byte;
    struct iovec v = {.iov_base = &byte, .iov_len = 1};
    union room room;
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    struct cmsghdr *c;
    ssize_t n;
    int fd;

    do
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    if (n <= 0) {
        if (!n)
            errno = 0;
        return -1;
    }
    c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd))
        return (errno = EPROTO, -1);
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}
