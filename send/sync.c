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
#include "lib/pass.h"
#include "send/sandbox.h"

#define TAG_FOLDER 0x80000000u
#define TAG_NOBODY 0x7fffffffu

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

    /* What ends pneu-send ends us after it, when its socket closes. */
    (void)(sig_ignore(SIGINT), sig_ignore(SIGTERM), sig_ignore(SIGHUP), sig_ignore(SIGALRM));
    if (!sandbox_helper())
        _exit(EXIT_TEMP);
    while (pass_receive(fd, &tag, sizeof tag, &file) == sizeof tag) {
        uint32_t answer[2];
        answer[0] = tag & ~TAG_FOLDER;
        answer[1] = (uint32_t)helper_sync(file, (tag & TAG_FOLDER) != 0);
        if ((answer[0] != TAG_NOBODY || answer[1]) && send(fd, answer, sizeof answer, MSG_NOSIGNAL) == -1)
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
sync_ask(struct syncs *y, struct synced of, int fd, int folder)
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
    if (of.message || of.unmarked) {
        r->tag = y->free[--y->nfree];
        y->of[r->tag] = of;
    }
    if (of.message)
        of.message->syncs++;
    if (folder)
        r->tag |= TAG_FOLDER;
    return 1;
}

int
sync_flush(struct syncs *y)
{
    while (y->count) {
        struct sync_request const *r = y->queue + y->first;
        if (pass_send(y->fd, &r->tag, sizeof r->tag, r->fd, 0) == -1)
            return errno == EAGAIN || errno == ETOOMANYREFS ? 0 : -1;
        close(y->queue[y->first].fd);
        y->first = (y->first + 1) % SEND_SYNCS;
        y->count--;
    }
    return 1;
}

int
sync_answer(struct syncs *y, struct synced *of, int *e)
{
    uint32_t answer[2];
    ssize_t n = recv(y->fd, answer, sizeof answer, 0);

    *of = (struct synced){0};
    if (n == -1)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n != sizeof answer)
        return (errno = EPIPE, -1);
    *e = (int)answer[1];
    if (answer[0] >= SEND_SYNCS || (!y->of[answer[0]].message && !y->of[answer[0]].unmarked))
        return 1;
    *of = y->of[answer[0]];
    if (of->message)
        of->message->syncs--;
    y->of[answer[0]] = (struct synced){0};
    y->free[y->nfree++] = answer[0];
    return 1;
}
