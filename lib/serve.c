#include "lib/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/monotonic.h"
#include "lib/pass.h"

#define PAUSE 1000 /* milliseconds without accepting where descriptors or processes are short */

int
serve_init(struct serve *s)
{
    sigset_t set;

    if (!s->slots)
        return (errno = EINVAL, -1);
    s->slots += s->again ? SERVE_AGAIN : 0; /* those that wait stand in nobody's way */
    s->children = calloc(s->slots, sizeof *s->children);
    s->idle = mmap(0, s->slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!s->children || s->idle == MAP_FAILED)
        return -1;
    s->used = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGCHLD);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, 0) == -1)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void
serve_count(struct serve const *s, uint64_t key, uint32_t *all, uint32_t *same)
{
    *all = *same = 0;
    for (size_t i = 0; i < s->used; i++)
        if (s->children[i].pid && !s->idle[i]) {
            ++*all;
            *same += s->children[i].key == key;
        }
}

/* No child gets another session: those that wait for one end. */
static void
let_go(struct serve *s)
{
    for (size_t i = 0; s->ways && i < s->used; i++)
        if (s->children[i].way != -1) {
            close(s->children[i].way);
            s->children[i].way = -1;
            s->ways--;
        }
}

/* Gives the session to a child of that key that has nothing to do. */
static int
give(struct serve *s, int fd, uint64_t const key[static 2])
{
    for (size_t i = 0; s->ways && i < s->used; i++) {
        struct serve_child const *c = s->children + i;
        if (c->way != -1 && c->key == key[0] && c->rest == key[1] && s->idle[i]) {
            s->idle[i] = 0;
            if (pass_send(c->way, "", 1, fd, MSG_DONTWAIT) == 1)
                return 1;
            s->idle[i] = 1; /* it died, and will be reaped */
        }
    }
    return 0;
}

/* The child's life. What one session leaves in memory the next may see: that is why they are of one key. */
static void
live(struct serve *s, int fd, uint64_t key, size_t slot, int way)
{
    char byte;

    do {
        s->session(s->data, fd, key, slot);
        s->idle[slot] = 1; /* who is told by the end that it is over may come again: then we are free */
        close(fd);
        fd = -1;
        if (way != -1 && pass_receive(way, &byte, 1, &fd) != 1)
            break;
    } while (fd != -1);
    _exit(0);
}

/* s->slots: there is none. */
static size_t
free_slot(struct serve *s)
{
    size_t slot = 0;

    while (slot < s->used && s->children[slot].pid)
        slot++;
    if (slot == s->used && s->used < s->slots)
        s->children[s->used++].way = -1;
    return slot;
}

static void
begin(struct serve *s, int fd, uint64_t const key[static 2], int signals)
{
    size_t slot;
    pid_t pid;
    int pair[2] = {-1, -1};

    if (!s->admits(s, key[0])) {
        s->refuse(s->data, fd, key[0], 0);
        return;
    }
    if (give(s, fd, key))
        return;
    slot = free_slot(s);
    if (slot == s->slots) {
        s->refuse(s->data, fd, key[0], 0);
        return;
    }
    if (s->again && s->ways < SERVE_AGAIN && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        pair[0] = pair[1] = -1; /* then it is for one session */
    s->idle[slot] = 0;
    pid = fork();
    if (!pid) {
        close(0);
        close(signals);
        let_go(s);
        if (pair[0] != -1)
            close(pair[0]);
        live(s, fd, key[0], slot, pair[1]);
    }
    int e = errno;
    if (pair[1] != -1)
        close(pair[1]);
    if (pid == -1) {
        if (pair[0] != -1)
            close(pair[0]);
        s->refuse(s->data, fd, key[0], e);
        return;
    }
    s->children[slot] = (struct serve_child){.pid = pid, .key = key[0], .rest = key[1], .way = pair[0]};
    s->ways += pair[0] != -1;
}

/* Returns 0 if the system is short of something: pause then. */
static int
take(struct serve *s, int signals, int64_t *refreshed)
{
    uint64_t key[2] = {0};
    int fd = accept4(0, 0, 0, SOCK_CLOEXEC);

    if (fd == -1)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (s->who(s->data, fd, key)) {
        if (monotonic_ms() / 1000 != *refreshed) {
            let_go(s);
            s->refresh(s->data);
        }
        *refreshed = monotonic_ms() / 1000;
        begin(s, fd, key, signals);
    }
    close(fd);
    return 1;
}

static void
bury(struct serve *s, size_t slot, int status, int quietly)
{
    struct serve_child dead = s->children[slot];

    s->children[slot] = (struct serve_child){.way = -1};
    while (s->used && !s->children[s->used - 1].pid)
        s->used--;
    if (dead.way != -1) {
        close(dead.way);
        s->ways--;
    }
    s->gone(s->data, slot, &dead, WIFSIGNALED(status) && !quietly ? WTERMSIG(status) : 0);
}

/* Returns the number of children left. */
static size_t
reap(struct serve *s, int quietly)
{
    size_t left = 0;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->used; i++)
            if (s->children[i].pid == pid)
                bury(s, i, status, quietly);
    for (size_t i = 0; i < s->used; i++)
        left += s->children[i].pid != 0;
    return left;
}

static void
signal_all(struct serve const *s, int sig)
{
    for (size_t i = 0; i < s->used; i++)
        if (s->children[i].pid)
            kill(s->children[i].pid, sig);
}

/* Sessions that may be ended end at once, others when they are done, the slow after the grace. */
static void
finish(struct serve *s, int signals)
{
    int64_t end = monotonic_ms() + SERVE_GRACE * 1000;
    struct signalfd_siginfo info;

    let_go(s);
    signal_all(s, SIGTERM); /* first: who finds nobody listening knows that the sessions were told */
    close(0);
    while (reap(s, 1)) {
        struct pollfd x = {.fd = signals, .events = POLLIN};
        if (monotonic_ms() >= end) {
            signal_all(s, SIGKILL);
            end = INT64_MAX;
        }
        poll(&x, 1, 1000);
        while (read(signals, &info, sizeof info) > 0)
            ;
    }
}

/* Returns the signal that tells us to end, also where we could not hear one any more; or 0. */
static int
signalled(struct serve *s, int signals)
{
    struct signalfd_siginfo info[3]; /* there are three signals; what is left over is there at the next look */
    ssize_t n = read(signals, info, sizeof info);
    int end = n == -1 && errno != EAGAIN && errno != EINTR ? SIGTERM : 0;

    for (ssize_t i = 0; i * (ssize_t)sizeof *info < n; i++)
        if (info[i].ssi_signo != SIGCHLD)
            end = (int)info[i].ssi_signo;
    reap(s, 0);
    return end;
}

int
serve_run(struct serve *s, int signals)
{
    int64_t refreshed = monotonic_ms() / 1000;
    int resting = 0, end;

    if (fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK) == -1)
        return 0;
    for (;;) {
        struct pollfd x[2] = {{.fd = signals, .events = POLLIN}, {.fd = resting ? -1 : 0, .events = POLLIN}};
        int n = poll(x, 2, resting ? PAUSE : s->ways ? SERVE_REST * 1000 : -1);
        if (n == -1 && errno != EINTR)
            return 0;
        if (!n)
            let_go(s);
        resting = 0;
        if (x[0].revents && (end = signalled(s, signals)))
            break;
        if (x[1].revents & (POLLERR | POLLNVAL))
            return (errno = ENOTSOCK, 0);
        if (x[1].revents)
            resting = !take(s, signals, &refreshed);
    }
    if (end != SIGTERM || !s->leaves)
        finish(s, signals);
    return 1;
}
