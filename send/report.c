#include "send/report.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <skalibs/strerr.h>

#include "lib/log.h"
#include "send/message.h"

extern char **environ;

static int
start(struct send *s, struct report *r, struct message *m)
{
    char bounce[] = "pneu-bounce";
    char *argv[] = {bounce, m->id, 0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipes;
    int e = posix_spawn_file_actions_init(&actions);

    if (e)
        return (errno = e, 0);
    sigemptyset(&none); /* ours are blocked, for the loop reads them */
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    e = posix_spawn_file_actions_adddup2(&actions, m->fd, 0);
    if (!e && !(e = posix_spawnattr_init(&attributes))) {
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setsigdefault(&attributes, &pipes);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        e = posix_spawn(&r->pid, s->bounce, &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (e)
        r->pid = 0;
    else
        r->message = m;
    return !e ? 1 : (errno = e, 0);
}

static void
start_some(struct send *s)
{
    for (unsigned int i = 0; i < SEND_REPORTS && s->reports;) {
        struct message *m = s->reports;
        if (s->running[i].pid) {
            i++;
            continue;
        }
        s->reports = m->following;
        if (!start(s, s->running + i, m)) {
            strerr_warnwusys("start ", s->bounce);
            m->reporting = 0;
            m->unreported = 1;
            message_proceed(s, m);
        }
    }
}

void
report_ask(struct send *s, struct message *m)
{
    m->reporting = 1;
    m->following = 0;
    if (s->reports)
        s->reportslast->following = m;
    else
        s->reports = m;
    s->reportslast = m;
    start_some(s);
}

/* The report is on disk: those recipients are settled. */
static void
settled(struct send *s, struct message *m)
{
    struct log l;
    uint32_t n = m->failed;

    log_start(&l, "bounced");
    log_str(&l, "msg", m->id);
    log_uint(&l, "rcpts", n);
    log_end(&l);
    for (uint32_t i = 0; m->failed && i < m->file.header.recipients; i++)
        if (m->file.status[i] == STATUS_FAILED)
            message_mark(s, m, i, STATUS_BOUNCED);
}

int
report_ended(struct send *s, pid_t pid, int status)
{
    struct message *m;
    struct log l;
    unsigned int i = 0;

    while (i < SEND_REPORTS && s->running[i].pid != pid)
        i++;
    if (i == SEND_REPORTS)
        return 0;
    m = s->running[i].message;
    s->running[i].pid = 0;
    m->reporting = 0;
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        settled(s, m);
    else { /* owed until the next attempt */
        log_start(&l, "bouncefailed");
        log_str(&l, "msg", m->id);
        log_uint(&l, WIFEXITED(status) ? "exit" : "signal",
                 (uint64_t)(WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
        log_end(&l);
        m->unreported = 1;
    }
    start_some(s);
    message_proceed(s, m);
    return 1;
}
