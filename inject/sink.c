#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "inject/sink.h"
#include "queue/envelope.h"
#include "queue/exits.h"

#define SINK_BUFFER 65536

/* --- envelopes --- */

static int
put(stralloc *to, char const *name, char const *value)
{
    return !value || envelope_put(to, name, value, strlen(value));
}

static int
is_ascii(char const *s)
{
    while (*s && !((unsigned char)*s & 0x80))
        s++;
    return !*s;
}

/* What qmail-queue's envelope cannot say of the message. */
static int
put_message(stralloc *to, struct sink_envelope const *e)
{
    int ascii = is_ascii(e->sender);

    for (size_t i = 0; ascii && i < e->recipients->len; i += strlen(e->recipients->s + i) + 1)
        ascii = is_ascii(e->recipients->s + i);
    return put(to, "body", e->body) && put(to, "smtputf8", ascii ? 0 : "1") && put(to, "ret", e->ret) &&
           put(to, "envid", e->envid);
}

static int
put_recipients(stralloc *to, struct sink_envelope const *e)
{
    for (size_t i = 0; i < e->recipients->len; i += strlen(e->recipients->s + i) + 1)
        if (!put(to, "to", e->recipients->s + i) || !put(to, "notify", e->notify))
            return 0;
    return 1;
}

/* --- over run/intake --- */

static void
set_deadline(struct sink *s)
{
    tain_now_g();
    tain_addsec_g(&s->intake.deadline, SINK_TIMEOUT);
}

static int
open_intake(struct sink *s, struct sink_envelope const *e)
{
    stralloc opening = STRALLOC_ZERO;

    tain_now_set_stopwatch_g();
    set_deadline(s);
    if (!put(&opening, "from", e->sender) || !put_message(&opening, e) || !put_recipients(&s->closing, e))
        return 0;
    int good = intake_open(&s->intake) && intake_begin(&s->intake, (struct bytes){opening.s, opening.len});
    stralloc_free(&opening);
    return good;
}

static enum sink_result
close_intake(struct sink *s)
{
    struct intake_answer answer;

    set_deadline(s);
    if (!intake_end(&s->intake, (struct bytes){s->closing.s, s->closing.len}, &answer))
        return SINK_BROKEN;
    intake_close(&s->intake);
    if (!stralloc_copys(&s->why, answer.text) || !stralloc_0(&s->why))
        return SINK_BROKEN;
    return answer.class == 'K' ? SINK_QUEUED : answer.class == 'D' ? SINK_NEVER : SINK_LATER;
}

/* --- through a program --- */

/* The rest, in a file in memory: the program may read it before or after the message. Returns its descriptor, -2 if
 * there is nothing to say, -1 with errno. */
static int
more_envelope(struct sink_envelope const *e)
{
    stralloc bytes = STRALLOC_ZERO;
    int fd = -1;

    if (put_message(&bytes, e) && (!e->notify || put_recipients(&bytes, e))) {
        fd = bytes.len ? memfd_create("envelope", MFD_CLOEXEC) : -2;
        if (fd >= 0 && (allwrite(fd, bytes.s, bytes.len) < bytes.len || lseek(fd, 0, SEEK_SET) == -1)) {
            fd_close(fd);
            fd = -1;
        }
    }
    stralloc_free(&bytes);
    return fd;
}

/* Starts it with these as descriptors 0, 1 and 3. They are all above 2, so none overwrites another on its way. */
static int
spawn(struct sink *s, char const *program, int from, int envelope, int more)
{
    char name[] = "pneu-queue";
    char *argv[] = {name, 0};
    posix_spawn_file_actions_t act;
    posix_spawnattr_t attr;
    sigset_t pipe_only;

    if (more >= 0 ? setenv("PNEU_ENVELOPE", "3", 1) : unsetenv("PNEU_ENVELOPE"))
        return 0;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    int e = posix_spawn_file_actions_init(&act);
    if (e)
        return errno = e, 0;
    e = posix_spawnattr_init(&attr);
    if (!e)
        e = posix_spawnattr_setsigdefault(&attr, &pipe_only);
    if (!e)
        e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&act, from, 0);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&act, envelope, 1);
    if (!e && more >= 0)
        e = posix_spawn_file_actions_adddup2(&act, more, 3);
    if (!e)
        e = posix_spawnp(&s->child, program, &act, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&act);
    posix_spawnattr_destroy(&attr);
    return !e || (errno = e, s->child = 0, 0);
}

/* "Fsender\0Trecipient\0...\0" goes to s->closing; it is written behind the message, so that a message that is given
 * up has no envelope, and is never queued. */
static int
qmail_envelope(struct sink *s, struct sink_envelope const *e)
{
    stralloc *to = &s->closing;

    if (!stralloc_append(to, 'F') || !stralloc_catb(to, e->sender, strlen(e->sender) + 1))
        return 0;
    for (size_t i = 0; i < e->recipients->len; i += strlen(e->recipients->s + i) + 1)
        if (!stralloc_append(to, 'T') || !stralloc_catb(to, e->recipients->s + i, strlen(e->recipients->s + i) + 1))
            return 0;
    return stralloc_append(to, 0);
}

static int
open_program(struct sink *s, char const *program, struct sink_envelope const *e)
{
    int message[2], envelope[2];
    int more = more_envelope(e);

    if (more == -1 || !qmail_envelope(s, e) || pipe2(message, O_CLOEXEC) == -1)
        return 0;
    if (pipe2(envelope, O_CLOEXEC) == -1)
        return 0;
    s->to = message[1];
    s->envelope = envelope[1];
    int good = spawn(s, program, message[0], envelope[0], more);
    int error = errno;
    fd_close(message[0]);
    fd_close(envelope[0]);
    if (more >= 0)
        fd_close(more);
    errno = error;
    return good;
}

/* Writes what waits. A reader that is gone will say why by its exit code. */
static int
flush(struct sink *s)
{
    size_t len = s->out.len;

    s->out.len = 0;
    if (s->gone || allwrite(s->to, s->out.s, len) == len)
        return 1;
    if (errno != EPIPE || !s->child)
        return 0;
    return s->gone = 1;
}

static struct {
    int code;
    char const *why;
} const causes[] = {
    {QUEUE_LONG, "an address of the envelope is too long"},
    {QUEUE_REFUSED, "the queue refuses this message"},
    {QUEUE_MEMORY, "the queue is out of memory"},
    {QUEUE_TIMEOUT, "the queue takes too long"},
    {QUEUE_WRITE, "the queue's disk is full, or it cannot write there"},
    {QUEUE_READ, "the queue cannot read the message or its envelope"},
    {QUEUE_HOME, "there is no instance"},
    {QUEUE_FOLDER, "the instance is not as it should be"},
    {QUEUE_REFUSED_NOW, "the queue refuses this message for now"},
    {QUEUE_SILENT, "the queue does not answer"},
    {QUEUE_NO_INTAKE, "the queue does not run, or turned us away"},
    {QUEUE_CUT, "the queue hung up"},
    {QUEUE_BUG, "the queue has a bug"},
    {QUEUE_FORMAT, "the queue finds the envelope malformed"},
    {127, "its program cannot be started"},
};

static enum sink_result
judge(struct sink *s, int wstat)
{
    int code = WIFEXITED(wstat) ? WEXITSTATUS(wstat) : 256;
    char digits[UINT_FMT];
    char const *why = code == 256 ? "the queue program crashed" : "the queue program failed";

    if (!code)
        return SINK_QUEUED;
    for (unsigned int i = 0; i < sizeof causes / sizeof *causes; i++)
        if (causes[i].code == code)
            why = causes[i].why;
    digits[uint_fmt(digits, WIFEXITED(wstat) ? (unsigned int)code : (unsigned int)WTERMSIG(wstat))] = 0;
    if (!stralloc_copys(&s->why, why) || !stralloc_cats(&s->why, code == 256 ? " (signal " : " (exit ") ||
        !stralloc_cats(&s->why, digits) || !stralloc_cats(&s->why, ")") || !stralloc_0(&s->why))
        return SINK_BROKEN;
    return code >= 11 && code <= 40 ? SINK_NEVER : SINK_LATER;
}

static enum sink_result
close_program(struct sink *s)
{
    int wstat;

    if (!flush(s))
        return sink_abort(s), SINK_BROKEN;
    fd_close(s->to);
    /* Its errors show in the exit code: who has no envelope queues nothing. */
    (void)!allwrite(s->envelope, s->closing.s, s->closing.len);
    fd_close(s->envelope);
    s->to = s->envelope = -1;
    pid_t pid = s->child;
    s->child = 0;
    if (wait_pid(pid, &wstat) == -1)
        return SINK_BROKEN;
    return judge(s, wstat);
}

/* --- all of them --- */

int
sink_open(struct sink *s, char const *program, struct sink_envelope const *e)
{
    return program ? open_program(s, program, e) : open_intake(s, e);
}

void
sink_print(struct sink *s)
{
    s->to = 1;
}

int
sink_put(struct sink *s, char const *bytes, size_t len)
{
    if (s->to == -1) {
        set_deadline(s);
        return intake_data(&s->intake, bytes, len);
    }
    return stralloc_catb(&s->out, bytes, len) && (s->out.len < SINK_BUFFER || flush(s));
}

int
sink_refused(struct sink const *s)
{
    return s->gone || s->intake.refused;
}

enum sink_result
sink_close(struct sink *s)
{
    if (s->to == -1)
        return close_intake(s);
    if (s->child)
        return close_program(s);
    return flush(s) ? SINK_QUEUED : SINK_BROKEN;
}

void
sink_abort(struct sink *s)
{
    int e = errno;

    intake_close(&s->intake);
    if (s->child) {
        fd_close(s->envelope);
        fd_close(s->to);
        wait_pid(s->child, &(int){0});
        s->child = 0;
    }
    s->to = s->envelope = -1;
    errno = e;
}
