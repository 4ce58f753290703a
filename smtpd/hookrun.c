/* One program of a check. It is not confined, and may do what its uid may; only its time and what we keep of its output
 * are bounded. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "lib/log.h"
#include "lib/nameless.h"
#include "smtpd/hookd.h"

#define OUTPUT_MAX 16384 /* bytes a program may print; writing more fails */
#define TEXT_MAX 1000    /* of its first line */
#define HEADERS 3        /* the descriptor where header fields go */
#define ABOVE 10         /* ours lie above those that a program gets */
#define WORDS_MAX 128
#define VARIABLES_MAX 64

/* ---- its output: files in memory that cannot grow, so that no loop has to read it and nothing it starts can fill memory ---- */

static int
output(size_t size)
{
    int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1)
        return -1;
    if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
        close(fd);
        return high;
    }
    close(fd);
    return -1;
}

/* What was written: up to the first NUL, which is where the file was not touched. */
static size_t
written(int fd, char *s, size_t size)
{
    ssize_t n = pread(fd, s, size, 0);

    return n > 0 ? strnlen(s, (size_t)n) : 0;
}

static int
keep_text(int fd, stralloc *text)
{
    char s[TEXT_MAX];
    size_t len = written(fd, s, sizeof s), n = 0;

    while (n < len && s[n] != '\n' && s[n] != '\r')
        n++;
    return stralloc_copyb(text, s, n);
}

/* The same field from two programs, or for two recipients, is wanted once. */
static int
has(stralloc const *headers, char const *s, size_t len)
{
    return headers->len >= len && memmem(headers->s, headers->len, s, len) != NULL;
}

static void
complain(struct hookrun const *r, char const *key, char const *value, unsigned int number)
{
    struct log l;

    log_start(&l, "check");
    log_str(&l, "phase", r->phase);
    log_str(&l, "program", r->line);
    if (value)
        log_str(&l, key, value);
    else
        log_uint(&l, key, number);
    log_end(&l);
}

static int
keep_headers(struct hookrun const *r, int fd, stralloc *headers)
{
    char s[HOOK_HEADER_MAX];
    size_t len = written(fd, s, sizeof s);

    if (!len)
        return 1;
    if (!hook_fields(s, len))
        complain(r, "failed", "headers", 0);
    else if (headers->len + len <= HOOK_HEADER_MAX && !has(headers, s, len))
        return stralloc_catb(headers, s, len);
    return 1;
}

/* ---- starting it ---- */

/* As words, or for the shell. */
static int
build_argv(char const *line, int shell, stralloc *words, char **argv)
{
    int n = shell ? 0 : hookd_words(line, words);

    if (n == -1 || n >= WORDS_MAX)
        return n == -1 ? 0 : (errno = E2BIG, 0);
    if (!n) {
        words->len = 0;
        n = 3;
        if (!stralloc_catb(words, "/bin/sh\0-c", sizeof "/bin/sh\0-c") || !stralloc_catb(words, line, strlen(line) + 1))
            return 0;
    }
    char *s = words->s;
    for (int i = 0; i < n; i++, s += strlen(s) + 1)
        argv[i] = s;
    argv[n] = NULL;
    return 1;
}

static int
build_envp(stralloc const *env, char **envp)
{
    size_t n = 0;

    for (char *s = env->s; env->len && s < env->s + env->len; s += strlen(s) + 1) {
        if (n + 1 >= VARIABLES_MAX)
            return (errno = E2BIG, 0);
        envp[n++] = s;
    }
    envp[n] = NULL;
    return 1;
}

struct streams {
    int in, out, headers;
};

/* Returns 0 or an errno, as posix_spawn. The program has a process group of its own, so that all it starts can be ended. */
static int
spawn(pid_t *pid, char **argv, char **envp, struct streams const *fds)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int e;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    e = posix_spawnattr_init(&attr);
    if (e)
        return e;
    e = posix_spawn_file_actions_init(&actions);
    if (e)
        goto attributes;
    e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    e = e ? e : posix_spawnattr_setsigmask(&attr, &none);
    e = e ? e : posix_spawnattr_setsigdefault(&attr, &usual);
    e = e ? e : posix_spawn_file_actions_adddup2(&actions, fds->in, 0);
    e = e ? e : posix_spawn_file_actions_adddup2(&actions, fds->out, 1);
    e = e ? e : posix_spawn_file_actions_adddup2(&actions, fds->headers, HEADERS);
    e = e ? e : posix_spawnp(pid, argv[0], &actions, &attr, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
attributes:
    posix_spawnattr_destroy(&attr);
    return e;
}

/* ---- its end ---- */

/* Waits; SIGCHLD is blocked. Returns 1 with the status; 0 if it took too long, and was killed with all it started. */
static int
wait_for(pid_t pid, tain const *deadline, int *status)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        struct timespec left;
        tain t;
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return 1;
        tain_now_g();
        if ((got == -1 && errno != EINTR) || !tain_future(deadline))
            break;
        tain_sub(&t, deadline, &STAMP);
        if (!timespec_from_tain_relative(&left, &t))
            break;
        sigtimedwait(&set, NULL, &left);
    }
    kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) == -1 && errno == EINTR)
        ;
    return 0;
}

/* The verdict of an exit code; everything unknown is temporary. */
static int
judge(struct hookrun const *r, int status, enum hook_verdict *verdict)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    *verdict = code == 0 ? HOOK_GO : code == 99 ? HOOK_YES : code == 100 ? HOOK_NO : HOOK_LATER;
    if (code == -1)
        complain(r, "signal", NULL, (unsigned int)WTERMSIG(status));
    else if (*verdict == HOOK_LATER && code != 111)
        complain(r, "exit", NULL, (unsigned int)code);
    return code != -1;
}

/* Returns its process, or -1 with errno. What is no program may be a word of the shell. */
static pid_t
start(struct hookrun const *r, struct streams const *fds)
{
    char *argv[WORDS_MAX], *envp[VARIABLES_MAX];
    stralloc words = STRALLOC_ZERO;
    pid_t pid = -1;
    int e;

    if (!build_envp(r->env, envp))
        return -1;
    e = build_argv(r->line, 0, &words, argv) ? spawn(&pid, argv, envp, fds) : errno;
    if (e == ENOENT)
        e = build_argv(r->line, 1, &words, argv) ? spawn(&pid, argv, envp, fds) : errno;
    stralloc_free(&words);
    return e ? (errno = e, -1) : pid;
}

static int
run(struct hookrun const *r, struct streams const *fds, struct hook_answer *a)
{
    pid_t pid = start(r, fds);
    int status;

    if (pid == -1) {
        complain(r, "error", strerror(errno), 0);
        return 0;
    }
    if (!wait_for(pid, &r->deadline, &status)) {
        complain(r, "failed", "timeout", 0);
        return 0;
    }
    return judge(r, status, &a->verdict) && keep_text(fds->out, &a->text) && keep_headers(r, fds->headers, &a->headers);
}

/* Descriptor 0 of the program: the message from its beginning, or nothing. */
static int
input(int message)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int high = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);

    if (fd != -1)
        close(fd);
    if (high == -1 || message == -1)
        return high;
    if (nameless_reopen(message, high) && fcntl(high, F_SETFD, FD_CLOEXEC) == 0)
        return high;
    close(high);
    return -1;
}

int
hookrun(struct hookrun const *r, struct hook_answer *a)
{
    struct streams fds = {input(r->message), output(OUTPUT_MAX), output(HOOK_HEADER_MAX)};
    int judged = 0;

    a->verdict = HOOK_LATER;
    a->text.len = 0;
    if (fds.in != -1 && fds.out != -1 && fds.headers != -1)
        judged = run(r, &fds, a);
    else
        complain(r, "error", strerror(errno), 0);
    if (!judged)
        a->verdict = HOOK_LATER;
    int const all[] = {fds.in, fds.out, fds.headers};
    for (unsigned int i = 0; i < 3; i++)
        if (all[i] != -1)
            close(all[i]);
    return judged;
}
