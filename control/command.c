#include "control/command.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

/* Appends all that comes from fd. Returns 1, or 0 with errno. */
static int
collect(int fd, stralloc *out)
{
    ssize_t n = 1;

    while (n) {
        if (out->len > COMMAND_OUT_MAX)
            return (errno = EMSGSIZE, 0);
        if (!stralloc_readyplus(out, 4096))
            return 0;
        n = read(fd, out->s + out->len, 4096);
        if (n == -1 && errno != EINTR)
            return 0;
        out->len += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

static int
wait_code(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
command_run(char const *const *argv, stralloc *out)
{
    char const *const *env = (char const *const *)environ;
    int fd = -1, e, code, good = 1;
    pid_t pid = out ? child_spawn1_pipe(argv[0], argv, env, &fd, 1) : child_spawn0(argv[0], argv, env);

    if (!pid)
        return -1;
    if (out) {
        good = collect(fd, out);
        e = errno;
        close(fd);
        errno = e;
    }
    e = errno;
    code = wait_code(pid);
    return good ? code : (errno = e, -1);
}

int
command_getent(char const *database, char const *key, stralloc *out)
{
    char const *const argv[] = {"getent", database, key, 0};
    int code = command_run(argv, out);

    if (!code)
        return 1;
    if (code == 2 && key)
        return 0;
    return (errno = code == -1 ? errno : ECHILD, -1);
}
