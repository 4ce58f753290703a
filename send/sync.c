#include "send/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/sig.h>

#include "lib/confine.h"
#include "lib/exits.h"
#include "send/sandbox.h"

#define TAG_FOLDER 0x80000000u
#define TAG_NOBODY 0x7fffffffu

union space {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

/* Takes one request. Returns 1, 0 if none can be made of it, -1 at the end. */
static int
helper_take(int fd, uint32_t *tag, int *file)
{
    union space space;
    struct iovec part = {.iov_base = tag, .iov_len = sizeof *tag};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
    struct cmsghdr *c;
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

    if (n == -1)
        return errno == EINTR ? 0 : -1;
    if (n != sizeof *tag)
        return -1;
    c = CMSG_FIRSTHDR(&m);
    *file = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(file, CMSG_DATA(c), sizeof(int));
    return 1;
}

/* A failed sync is never repeated: the kernel would say yes the second time. */
static int
helper_sync(int file, int folder)
{
    int r;

    if (file == -1)
        return EMFILE; /* it was dropped on the way */
    do
        r = folder ? fsync(file) : fdatasync(file);
    while (r == -1 && errno == EINTR);
    r = r == -1 ? errno : 0;
    close(file);
    return r;
}

/* Its socket's end, which is that of pneu-send, is its own. */
__attribute__((noreturn)) static void
helper(int fd)
{
    uint32_t tag;
    int file;
    int got;

    /* What ends pneu-send ends us after it, when its socket closes. */
    (void)(sig_ignore(SIGINT), sig_ignore(SIGTERM), sig_ignore(SIGHUP), sig_ignore(SIGALRM));
    if (!sandbox_helper())
        _exit(EXIT_TEMP);
    while ((got = helper_take(fd, &tag, &file)) != -1) {
        uint32_t answer[2];
        if (!got)
            continue;
        answer[0] = tag & ~TAG_FOLDER;
        answer[1] = (uint32_t)helper_sync(file, (tag & TAG_FOLDER) != 0);
        if (answer[0] != TAG_NOBODY && send(fd, answer, sizeof answer, MSG_NOSIGNAL) == -1)
            break;
    }
    _exit(0);
}

int
sync_start(struct syncs *y, int keep)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
        return 0;
    for (unsigned int i = 0; i < SEND_HELPERS; i++) {
        y->helpers[i] = fork();
        if (y->helpers[i] == -1)
            return 0;
        if (!y->helpers[i]) {
            close(ends[0]);
            close(keep);
            helper(ends[1]);
        }
    }
    close(ends[1]);
    y->fd = ends[0];
    for (uint32_t i = 0; i < SEND_SYNCS; i++)
        y->free[i] = SEND_SYNCS - 1 - i;
    y->nfree = SEND_SYNCS;
    return fcntl(y->fd, F_SETFL, O_NONBLOCK) != -1;
}

int
sync_ask(struct syncs *y, struct message *m, int fd, int folder)
{
    struct sync_request *r;
    int copy;

    if (!y->nfree || y->count == SEND_SYNCS)
        return (errno = EAGAIN, 0);
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy == -1)
        return 0;
    r = y->queue + (y->first + y->count++) % SEND_SYNCS;
    r->fd = copy;
    r->tag = TAG_NOBODY;
    if (m) {
        r->tag = y->free[--y->nfree];
        y->of[r->tag] = m;
        m->syncs++;
    }
    if (folder)
        r->tag |= TAG_FOLDER;
    return 1;
}

static int
send_one(int fd, struct sync_request *r)
{
    union space space = {{0}};
    struct iovec part = {.iov_base = &r->tag, .iov_len = sizeof r->tag};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &r->fd, sizeof(int));
    return sendmsg(fd, &m, MSG_NOSIGNAL) != -1;
}

int
sync_flush(struct syncs *y)
{
    while (y->count) {
        if (!send_one(y->fd, y->queue + y->first)) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN || errno == ETOOMANYREFS ? 0 : -1;
        }
        close(y->queue[y->first].fd);
        y->first = (y->first + 1) % SEND_SYNCS;
        y->count--;
    }
    return 1;
}

int
sync_answer(struct syncs *y, struct message **m, int *e)
{
    uint32_t answer[2];
    ssize_t n = recv(y->fd, answer, sizeof answer, 0);

    *m = 0;
    if (n == -1)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n != sizeof answer)
        return (errno = EPIPE, -1);
    if (answer[0] >= SEND_SYNCS || !y->of[answer[0]])
        return 1;
    *m = y->of[answer[0]];
    *e = (int)answer[1];
    (*m)->syncs--;
    y->of[answer[0]] = 0;
    y->free[y->nfree++] = answer[0];
    return 1;
}
