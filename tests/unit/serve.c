/* lib/serve: a server of our own in a child, each session answers with its process number. */

#include "lib/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/pass.h"
#include "tests/tap.h"

#define PATIENCE 2000 /* tries, a hundredth of a second each */

static uint64_t *settings; /* of the server: how often it read them */

static int
who(void *data, int fd, uint64_t *key)
{
    unsigned char byte;

    (void)data;
    if (recv(fd, &byte, 1, 0) != 1)
        return 0;
    key[0] = byte & 0xdf; /* 'a' and 'A' are limited together, but not the same */
    key[1] = byte;
    return byte != 'x';
}

static int
admits(struct serve const *s, uint64_t key)
{
    uint32_t all, same;

    serve_count(s, key, &all, &same);
    return same < 2;
}

static void
refuse(void *data, int fd, uint64_t key, int error)
{
    (void)data, (void)key, (void)error;
    (void)!send(fd, "no", 2, MSG_DONTWAIT);
}

static void
refresh(void *data)
{
    (void)data;
    ++*settings;
}

/* Says who it is, then waits for the client's end. 'k' among what it says: dies. */
static void
session(void *data, int fd, uint64_t key, size_t slot)
{
    pid_t self = getpid();
    char byte;

    (void)data, (void)key, (void)slot;
    (void)!send(fd, &self, sizeof self, 0);
    while (recv(fd, &byte, 1, 0) == 1)
        if (byte == 'k')
            raise(SIGKILL);
}

static void
gone(void *data, size_t slot, struct serve_child const *child, int sig)
{
    (void)data, (void)slot, (void)child, (void)sig;
}

static struct sockaddr_un name = {.sun_family = AF_UNIX};

static pid_t
start(int again)
{
    struct serve s = {.slots = 8,
                      .again = again,
                      .who = who,
                      .admits = admits,
                      .refuse = refuse,
                      .refresh = refresh,
                      .session = session,
                      .gone = gone};
    uint64_t count = 0;
    pid_t pid;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    unlink(name.sun_path);
    if (fd == -1 || bind(fd, (struct sockaddr *)&name, sizeof name) == -1 || listen(fd, 20) == -1)
        return -1;
    pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        settings = &count;
        dup2(fd, 0);
        int signals = serve_init(&s);
        _exit(signals == -1 || !serve_run(&s, signals));
    }
    close(fd);
    return pid;
}

/* Returns a session, and who serves it: 0 nobody, -1 refused. */
static int
call(char key, pid_t *pid)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n;

    *pid = 0;
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == -1 || send(fd, &key, 1, MSG_NOSIGNAL) != 1)
        return fd;
    n = recv(fd, pid, sizeof *pid, 0);
    if (n != sizeof *pid)
        *pid = n == 2 ? -1 : 0;
    return fd;
}

/* Calls until the answer's sameness with `before` is as wanted. */
static int
calls_until(char key, pid_t before, int same, pid_t *pid)
{
    struct timespec pause = {.tv_nsec = 10000000};

    for (int i = 0; i < PATIENCE; i++) {
        close(call(key, pid));
        if (*pid > 0 && (*pid == before) == same)
            return 1;
        nanosleep(&pause, 0);
    }
    return 0;
}

/* A session; those before may not have ended yet. */
static int
hold(char key, pid_t *pid)
{
    struct timespec pause = {.tv_nsec = 10000000};
    int fd = call(key, pid);

    for (int i = 0; i < PATIENCE && *pid <= 0; i++) {
        close(fd);
        nanosleep(&pause, 0);
        fd = call(key, pid);
    }
    return fd;
}

static int
dies(pid_t pid)
{
    struct timespec pause = {.tv_nsec = 10000000};

    for (int i = 0; i < PATIENCE; i++) {
        if (kill(pid, 0) == -1)
            return 1;
        nanosleep(&pause, 0);
    }
    return 0;
}

static void
once(void)
{
    pid_t server = start(0), first, second;
    int status;

    close(call('a', &first));
    close(call('a', &second));
    ok(first > 0 && second > 0 && first != second, "a child a session");
    close(call('x', &first));
    ok(!first, "who cannot be told is hung up on");
    kill(server, SIGTERM);
    ok(waitpid(server, &status, 0) == server && !status, "TERM ends it");
}

static void
again(void)
{
    pid_t server = start(1), first, other, next;
    int held, status;

    first = next = 0;
    for (int i = 0; i < PATIENCE && (first <= 0 || first != next);
         i++) { /* it may be let go in between, once a second */
        first = next;
        close(call('a', &next));
    }
    ok(first > 0 && first == next, "the next session of a key has the same child");
    close(call('b', &other));
    ok(other > 0 && other != first, "one of another key has not");
    close(call('A', &other));
    ok(other > 0 && other != first, "nor one that is only limited with it");
    held = hold('a', &first);
    int held2 = hold('a', &next);
    ok(first > 0 && next > 0 && first != next, "nor one while it is busy");
    close(call('a', &other));
    ok(other == -1, "a third at a time is refused");
    close(held2);
    (void)!send(held, "k", 1, 0);
    ok(dies(first) && calls_until('a', first, 0, &next), "after the death of a child another serves");
    close(held);
    ok(calls_until('a', next, 0, &other) && dies(next), "no child is kept for long: settings change");
    held = hold('a', &first);
    kill(server, SIGTERM);
    close(held);
    ok(waitpid(server, &status, 0) == server && !status, "TERM ends it, and waits for a session");
}

static void
passing(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return;
    ok(pass_send(pair[0], "ab", 2, 1, 0) == 2, "a descriptor is sent");
    char bytes[2];
    int fd;
    ok(pass_receive(pair[1], bytes, 2, &fd) == 2 && fd > 1 && !memcmp(bytes, "ab", 2), "and received");
    close(fd);
    ok(send(pair[0], "x", 1, 0) == 1 && pass_receive(pair[1], bytes, 2, &fd) == 1 && fd == -1, "bytes without one");
    ok(pass_send(pair[0], "abc", 3, 1, 0) == 3 && pass_receive(pair[1], bytes, 2, &fd) == -1 && errno == EMSGSIZE &&
           fd == -1,
       "a packet too long");
    close(pair[0]);
    ok(pass_receive(pair[1], bytes, 2, &fd) == 0 && fd == -1, "the end");
    close(pair[1]);
}

int
main(void)
{
    snprintf(name.sun_path, sizeof name.sun_path, "/tmp/pneu-serve.%d", (int)getpid());
    alarm(120);
    once();
    again();
    passing();
    unlink(name.sun_path);
    return tap_done();
}
