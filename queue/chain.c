/* filterd_run: control/filter's chain for one message. Apart from filterd.c, since it is the part that is not confined. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/exec.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/nameless.h"
#include "queue/exits.h"
#include "queue/filterd.h"
#include "queue/layout.h"

/* The descriptor that $PNEU_ENVELOPE names: none of those that wrappers in sh, which can write one digit, use themselves. */
#define RECORDS 19
#define RECORDS_TEXT "19"

static int
build_argv(stralloc const *words, char const **argv, size_t max)
{
    size_t n = 0;

    for (char const *s = words->s; s < words->s + words->len; s += strlen(s) + 1) {
        if (n + 2 > max)
            return (errno = E2BIG, 0);
        argv[n++] = s;
    }
    argv[n++] = "pneu-queue";
    argv[n] = 0;
    return 1;
}

/* The child: never returns. */
static void
chain(int message, int envelope, int records)
{
    char const *argv[256];
    stralloc words = STRALLOC_ZERO;
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    signal(SIGPIPE, SIG_DFL);
    if (control_list(SET_filter, &words) == -1 || !build_argv(&words, argv, sizeof argv / sizeof *argv)) {
        strerr_warnwu2sys("read ", control_path(SET_filter));
        _exit(QUEUE_FOLDER);
    }
    /* 0 and 1 last: the others may be one of them. */
    message = fcntl(message, F_DUPFD_CLOEXEC, RECORDS + 1);
    envelope = fcntl(envelope, F_DUPFD_CLOEXEC, RECORDS + 1);
    records = fcntl(records, F_DUPFD_CLOEXEC, RECORDS + 1);
    if (message == -1 || envelope == -1 || records == -1 || !nameless_reopen(message, 0) ||
        !nameless_reopen(envelope, 1) || !nameless_reopen(records, RECORDS))
        _exit(QUEUE_READ);
    if (setenv("PNEU_ENVELOPE", RECORDS_TEXT, 1) == -1 || setenv("PNEU_INTAKE", RUN_INTAKE, 1) == -1)
        _exit(QUEUE_MEMORY);
    exec(argv);
    strerr_warnwu2sys("run the filter ", argv[0]);
    _exit(QUEUE_BUG);
}

/* Waits, and ends the chain and what it started after that time. SIGCHLD is blocked. */
static int
wait_for(pid_t pid, uint32_t seconds)
{
    struct timespec limit = {.tv_sec = seconds};
    sigset_t set;
    int status;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : QUEUE_BUG;
        if (got == -1 && errno != EINTR)
            return QUEUE_BUG;
        if (got == -1)
            continue; /* its signal may have come: nothing would wake us */
        if (sigtimedwait(&set, 0, &limit) == -1 && errno == EAGAIN)
            break;
    }
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    return QUEUE_TIMEOUT;
}

int
filterd_run(int message, int envelope, int records, uint32_t seconds)
{
    pid_t pid = fork();

    if (pid == -1)
        return QUEUE_REFUSED_NOW;
    if (!pid)
        chain(message, envelope, records);
    return wait_for(pid, seconds);
}
