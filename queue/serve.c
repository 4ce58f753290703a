#include "queue/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/alloc.h>

#include "lib/log.h"
#include "queue/exits.h"
#include "queue/receive.h"

#define PAUSE                                                                                                          \
    1000 /* milliseconds without accepting where descriptors or processes are  \
            short */

int
serve_init(struct serve *s, size_t slots)
{
    sigset_t set;

    s->children = calloc(slots, sizeof *s->children);
    if (!s->children)
        return -1;
    s->slots = slots;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, 0) == -1)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int
is_own(struct serve const *s, uint32_t uid)
{
    for (unsigned int i = 0; i < SERVE_OWN; i++)
        if (s->own[i] == uid)
            return 1;
    return 0;
}

int
serve_admits(struct serve const *s, uint32_t uid)
{
    uint32_t all = 0, strangers = 0, same = 0;

    for (size_t i = 0; i < s->slots; i++)
        if (s->children[i].pid) {
            all++;
            strangers += !is_own(s, s->children[i].uid);
            same += s->children[i].uid == uid;
        }
    if (all >= s->sessions || all >= s->slots)
        return 0;
    return is_own(s, uid) || (same < s->peruid && strangers < s->sessions - s->sessions / 4);
}

static void
log_refused(uint32_t uid, char const *why)
{
    struct log l;

    log_start(&l, "refused");
    log_uint(&l, "uid", uid);
    log_str(&l, "reason", why);
    log_end(&l);
}

/* A client over the limits gets an answer, if it goes out without waiting:
 * intake_end finds it. */
static void
turn_away(int fd, uint32_t uid, char const *why, int e)
{
    stralloc out = STRALLOC_ZERO;
    struct intake_answer a;

    if (e)
        receive_answer_errno(&a, e);
    else
        receive_answer(&a, 'Z', QUEUE_REFUSED_NOW, "4.3.2 too many sessions");
    if (receive_answer_put(&out, &a))
        (void)!send(fd, out.s, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    stralloc_free(&out);
    log_refused(uid, why);
}

static void
begin(struct serve *s, int fd, uint32_t uid, int signals)
{
    size_t slot = 0;
    pid_t pid;

    if (!serve_admits(s, uid)) {
        turn_away(fd, uid, "sessions", 0);
        return;
    }
    while (s->children[slot].pid)
        slot++;
    pid = fork();
    if (pid == -1) {
        turn_away(fd, uid, "fork", errno);
        return;
    }
    if (!pid) {
        close(0);
        close(signals);
        s->session(s->data, fd, uid, slot);
        _exit(0);
    }
    s->children[slot].pid = pid;
    s->children[slot].uid = uid;
}

static int64_t
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec;
}

/* Returns 0 if the system is short of something: pause then. */
static int
take(struct serve *s, int signals, int64_t *refreshed)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd = accept4(0, 0, 0, SOCK_CLOEXEC);

    if (fd == -1)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
        if (seconds() != *refreshed)
            s->refresh(s);
        *refreshed = seconds();
        begin(s, fd, peer.uid, signals);
    }
    close(fd);
    return 1;
}

static void
log_died(struct serve_child const *c, int sig)
{
    struct log l;

    log_start(&l, "died");
    log_uint(&l, "uid", c->uid);
    log_uint(&l, "pid", (uint64_t)c->pid);
    log_uint(&l, "signal", (uint64_t)sig);
    log_end(&l);
}

/* Returns the number of sessions left. */
static size_t
reap(struct serve *s, int quietly)
{
    size_t left = 0;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->slots; i++)
            if (s->children[i].pid == pid) {
                if (WIFSIGNALED(status) && !quietly)
                    log_died(s->children + i, WTERMSIG(status));
                s->children[i].pid = 0;
                s->gone(s->data, i);
            }
    for (size_t i = 0; i < s->slots; i++)
        left += s->children[i].pid != 0;
    return left;
}

static void
signal_all(struct serve const *s, int sig)
{
    for (size_t i = 0; i < s->slots; i++)
        if (s->children[i].pid)
            kill(s->children[i].pid, sig);
}

/* Sessions between two messages end at once, others with their message, the
 * slow after the grace. */
static void
finish(struct serve *s, int signals)
{
    int64_t end = seconds() + SERVE_GRACE;
    struct signalfd_siginfo info;

    close(0);
    signal_all(s, SIGTERM);
    while (reap(s, 1)) {
        struct pollfd x = {.fd = signals, .events = POLLIN};
        if (seconds() >= end) {
            signal_all(s, SIGKILL);
            end = INT64_MAX;
        }
        poll(&x, 1, 1000);
        while (read(signals, &info, sizeof info) > 0)
            ;
    }
}

/* Returns 1 if we were told to end, or could not hear it any more. */
static int
signalled(struct serve *s, int signals)
{
    struct signalfd_siginfo info[2]; /* there are two signals; what is left over is there at the next look */
    ssize_t n = read(signals, info, sizeof info);
    int end = n == -1 && errno != EAGAIN && errno != EINTR;

    for (ssize_t i = 0; i * (ssize_t)sizeof *info < n; i++)
        end |= info[i].ssi_signo == SIGTERM;
    reap(s, 0);
    return end;
}

int
serve_run(struct serve *s, int signals)
{
    int64_t refreshed = seconds();
    int resting = 0;

    if (fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK) == -1)
        return 0;
    for (;;) {
        struct pollfd x[2] = {{.fd = signals, .events = POLLIN}, {.fd = resting ? -1 : 0, .events = POLLIN}};
        if (poll(x, 2, resting ? PAUSE : -1) == -1 && errno != EINTR)
            return 0;
        resting = 0;
        if (x[0].revents && signalled(s, signals))
            break;
        if (x[1].revents & (POLLERR | POLLNVAL))
            return (errno = ENOTSOCK, 0);
        if (x[1].revents)
            resting = !take(s, signals, &refreshed);
    }
    finish(s, signals);
    return 1;
}
