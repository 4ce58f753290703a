/* Root's code: every line counts. It parses no message, opens nothing below a
 * home, and becomes the user before anything of his is touched. */

#include "send/spawnroot.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/selfpipe.h>
#include <skalibs/sig.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/log.h"
#include "lib/musl.h"
#include "lib/pass.h"

#define LIMIT_FILES 256

struct target {
    uint32_t uid, gid;
    char const *home; /* NULL: none to be named */
};

int
spawnroot_allows(uint32_t own, uint32_t uid, uint32_t mailuid, uint32_t minuid)
{
    if (own) /* an ordinary user's instance */
        return uid == own;
    return uid && (uid == mailuid || uid >= minuid);
}

char const *
spawnroot_unknown(int found)
{
    if (!found)
        return "D5.1.1 Sorry, no mailbox here by that name";
    if (errno == ESTALE)
        return "Z4.3.0 The table of users is older than its sources; pneu-users makes it anew";
    return "Z4.3.0 Users cannot be looked up now";
}

/* Looks the address up. Returns 1, or 0: answer says why. */
static int
find(struct spawnroot const *s, char kind, char const *address, size_t len, struct user *u, struct target *t,
     char const **answer)
{
    uint32_t minuid;
    int found;

    *t = (struct target){.uid = s->own, .gid = getegid()};
    if ((kind == SPAWN_REMOTE) == s->local)
        return (*answer = "Z4.3.5 Not a transport of this spawner", 0);
    if (kind == SPAWN_REMOTE)
        return 1;
    /* A mailbox has an '@', a user has none: neither passes for the other. */
    if ((memchr(address, '@', len) != 0) != (kind == SPAWN_MAILBOX))
        return (*answer = "Z4.3.5 Not an address of that kind", 0);
    found = users_find(address, len, u);
    if (found == -1 || !control_uint(SET_minuid, &minuid))
        return (*answer = spawnroot_unknown(-1), 0);
    if (!found)
        return (*answer = spawnroot_unknown(0), 0);
    if (!spawnroot_allows(s->own, u->uid, s->mailuid, minuid) ||
        (kind == SPAWN_MAILBOX && (u->uid != s->mailuid || u->gid != s->mailgid)))
        return (*answer = "Z4.3.5 Mail for this user's uid is not delivered", 0);
    *t = (struct target){u->uid, u->gid, kind == SPAWN_LOCAL ? u->home : 0};
    return 1;
}

/* Gives up all rights but the user's own, and makes sure. */
static int
become(struct spawnroot const *s, struct target const *t)
{
    uid_t uid[3];
    gid_t gid[3];

    if (s->own == 0 && s->local &&
        (setgroups(1, &t->gid) == -1 || setresgid(t->gid, t->gid, t->gid) == -1 ||
         setresuid(t->uid, t->uid, t->uid) == -1))
        return 0;
    if (getresuid(uid, uid + 1, uid + 2) == -1 || getresgid(gid, gid + 1, gid + 2) == -1)
        return 0;
    for (unsigned int i = 0; i < 3; i++)
        if (uid[i] != t->uid || gid[i] != t->gid)
            return (errno = EPERM, 0);
    return 1;
}

/* Returns if that fails. */
static void
become_deliverer(struct spawnroot const *s, struct target const *t, int fd)
{
    char const *argv[] = {s->program, "-j", t->home, 0};
    struct rlimit files = {LIMIT_FILES, LIMIT_FILES};
    struct rlimit core = {0, 0};
    sigset_t none;

    sigemptyset(&none);
    /* The log is ours: a user's process does not get it. */
    if (sigprocmask(SIG_SETMASK, &none, 0) == 0 && dup2(fd, 0) == 0 && dup2(s->null, 1) == 1 &&
        (t->uid == s->own || t->uid == s->mailuid || dup2(s->null, 2) == 2) && close_range(3, ~0U, 0) == 0 &&
        setrlimit(RLIMIT_CORE, &core) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0 && become(s, t))
        execve(s->program, (char **)(uintptr_t)argv, (char **)(uintptr_t)s->envp);
}

/* Starts a deliverer. Returns the socket to it, or -1 with errno. Not by vfork: between becoming the user and the
 * exec the user may stop the child, and would stop us with it. */
static int
start(struct spawnroot const *s, struct target const *t)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
        return -1;
    pid_t pid = fork();
    if (!pid) {
        become_deliverer(s, t, fds[1]);
        _exit(127);
    }
    int e = errno;
    close(fds[1]);
    if (pid != -1)
        return fds[0];
    close(fds[0]);
    return (errno = e, -1);
}

/* One request. Returns 1, or 0 with errno. */
static int
serve(struct spawnroot const *s, int fd, char const *request, size_t len)
{
    struct user u = USER_ZERO;
    struct target t;
    char const *answer = "K";
    int deliverer = -1;

    if (find(s, *request, request + 1, len - 1, &u, &t, &answer)) {
        deliverer = start(s, &t);
        if (deliverer == -1) {
            struct log l;
            log_start(&l, "cannot-start");
            log_str(&l, "program", s->program);
            log_errno(&l, errno);
            log_end(&l);
            answer = "Z4.3.0 Unable to start a deliverer";
        }
    }
    stralloc_free(&u.storage);
    int sent = pass_send(fd, answer, strlen(answer), deliverer, 0) != -1;
    int e = errno;
    if (deliverer != -1)
        close(deliverer);
    return (errno = e, sent);
}

static void
reap(void)
{
    struct log l;
    int status;

    while (selfpipe_read() > 0)
        ;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (status) {
            log_start(&l, "deliverer-died");
            log_uint(&l, "pid", (uint64_t)pid);
            if (WIFSIGNALED(status))
                log_uint(&l, "signal", (uint64_t)WTERMSIG(status));
            else
                log_uint(&l, "exit", (uint64_t)WEXITSTATUS(status));
            log_end(&l);
        }
}

int
spawnroot_serve(struct spawnroot const *s, int fd)
{
    char request[SPAWNROOT_MAX];
    struct pollfd x[2] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};

    x[1].fd = selfpipe_init();
    if (x[1].fd == -1 || selfpipe_trap(SIGCHLD) == -1)
        return 0;
    for (;;) {
        if (poll(x, 2, -1) == -1 && errno != EINTR)
            return 0;
        if (x[1].revents)
            reap();
        if (!x[0].revents)
            continue;
        ssize_t n = recv(fd, request, sizeof request, 0);
        if (n == 0)
            return 1;
        if (n == -1 || !serve(s, fd, request, (size_t)n))
            return 0;
    }
}
