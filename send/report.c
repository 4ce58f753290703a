#include "send/report.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "lib/log.h"
#include "queue/ranges.h"
#include "send/attempt.h"
#include "send/marks.h"
#include "send/message.h"

extern char **environ;

static int
start(struct send *s, struct report *r, struct message *m)
{
    char bounce[] = "pneu-bounce", delayed[] = "-d", succeeded[] = "-s";
    char number[UINT_FMT + 1];
    char *failures[] = {bounce, m->id, 0}, *successes[] = {bounce, succeeded, m->id, 0};
    char *delays[] = {bounce, delayed, number, m->id, 0};
    char **argv = m->kind == REPORT_FAILED ? failures : m->kind == REPORT_SUCCEEDED ? successes : delays;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipes;
    int e = posix_spawn_file_actions_init(&actions);

    if (e)
        return (errno = e, 0);
    number[uint_fmt(number, m->notices)] = 0;
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

/* 1 if an upgrade has put another file there, which this process may not start: it ends, and its successor may. */
static int
begin_anew(struct send *s)
{
    if (!replaced_is(&s->bounced, s->bounce))
        return 0;
    if (!s->stopping)
        strerr_warn(PROG, ": ", s->bounce, " was replaced: ending, to begin anew");
    s->stopping = 1;
    return 1;
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
            if (begin_anew(s))
                m->soon = 1;
            m->reporting = 0;
            m->unreported |= m->kind != REPORT_DELAYED;
            message_proceed(s, m);
        }
    }
}

void
report_ask(struct send *s, struct message *m, enum report_kind kind)
{
    m->reporting = 1;
    m->kind = (uint8_t)kind;
    if (kind == REPORT_DELAYED)
        m->notices = (uint8_t)report_late(s, m);
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
    int failures = m->kind == REPORT_FAILED;
    struct log l;

    log_start(&l, failures ? "bounced" : "confirmed");
    log_str(&l, "msg", m->id);
    log_uint(&l, "rcpts", failures ? m->failed : m->succeeded);
    log_end(&l);
    for (uint32_t i = 0; (failures ? m->failed : m->succeeded) && i < m->file.header.recipients; i++)
        if (m->file.status[i] == (failures ? STATUS_FAILED : STATUS_SUCCEEDED))
            message_mark(s, m, i, failures ? STATUS_BOUNCED : STATUS_DONE);
}

/* ---- late messages ---- */

/* How often its sender was told already: a line of the log each. */
static unsigned int
told(struct message const *m)
{
    stralloc text = STRALLOC_ZERO;
    struct bytes log;
    struct file_event e;
    unsigned int n = 0;

    if (!marks_log(m, &text))
        return 0;
    log = (struct bytes){text.s, text.len};
    while (file_event_next(&log, &e))
        n += e.class == 'W';
    stralloc_free(&text);
    return n;
}

/* 1 if somebody wants to hear of the delay of one of those that are left. `numbers`, unless NULL, gets these. */
static int
wants_notice(struct send const *s, struct message const *m, stralloc *numbers)
{
    struct bytes cursor = m->file.envelope;
    struct ranges r = RANGES_ZERO;
    struct record rec;
    uint32_t index = 0;
    int any = 0;

    while (envelope_recipient(&cursor, &rec)) {
        char status = m->file.status[index++];
        if (status == STATUS_DONE || status == STATUS_FAILED || status == STATUS_BOUNCED || status == STATUS_SUCCEEDED)
            continue;
        if (!envelope_notify(cursor, "DELAY", s->settings.noticeall != 0))
            continue;
        any = 1;
        if (!numbers)
            break;
        (void)ranges_add(&r, numbers, index - 1);
    }
    if (numbers)
        (void)ranges_end(&r, numbers);
    return any;
}

unsigned int
report_late(struct send const *s, struct message *m)
{
    uint64_t age = clock_age(&s->clock, m->arrival);
    unsigned int due = 0;

    for (unsigned int i = 0; i < s->settings.nnotices; i++)
        due += age >= s->settings.notices[i];
    /* Reports, and reports on reports, are nobody's to be told of: the postmaster least. */
    if (due && m->from.len && !(m->from.len == 4 && !memcmp(m->from.s, "#@[]", 4)) && told(m) < due &&
        wants_notice(s, m, 0))
        return due;
    m->notices = UINT8_MAX;
    return 0;
}

/* The notice is on disk. Its line in the log keeps the next attempt from sending another: it is synced. */
static void
noticed(struct send *s, struct message *m)
{
    stralloc numbers = STRALLOC_ZERO;
    struct log l;
    unsigned int before = told(m);

    log_start(&l, "delayed");
    log_str(&l, "msg", m->id);
    log_uint(&l, "notice", m->notices);
    log_end(&l);
    if (wants_notice(s, m, &numbers) && numbers.len) {
        static char const text[] = "The sender was told of the delay";
        struct file_event e = {.time = s->clock.wall,
                               .class = 'W',
                               .code = {"4.4.7", 5},
                               .text = {text, sizeof text - 1},
                               .to = {numbers.s, numbers.len}};
        for (; before < m->notices; before++) /* one that came when two were due stands for both */
            (void)file_event_put(&m->log, &e);
        m->synclog = 1;
        message_dirty(s, m);
    }
    stralloc_free(&numbers);
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
    if (WIFEXITED(status) && !WEXITSTATUS(status)) {
        if (m->kind == REPORT_DELAYED)
            noticed(s, m);
        else
            settled(s, m);
    } else { /* owed until the next attempt */
        log_start(&l, "bouncefailed");
        log_str(&l, "msg", m->id);
        log_uint(&l, WIFEXITED(status) ? "exit" : "signal",
                 (uint64_t)(WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
        log_end(&l);
        m->unreported |= m->kind != REPORT_DELAYED;
    }
    start_some(s);
    message_proceed(s, m);
    return 1;
}
