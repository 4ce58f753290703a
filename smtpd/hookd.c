#include "smtpd/hookd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "control/control.h"
#include "lib/log.h"
#include "lib/nameless.h"
#include "queue/envelope.h"

#define PIECE 65536

/* ---- the question ---- */

/* A record, and the variables it becomes: pneu's own, those that programs for RCPTCHECK and tcpserver look at, and
 * qmail-spp's. */
static struct {
    char const *record, *variables[3];
} const table[] = {
    {"phase", {"PNEU_PHASE"}},
    {"server", {"PNEU_SERVER"}},
    {"client", {"PNEU_CLIENT", "TCPREMOTEIP"}},
    {"host", {"PNEU_HOST", "TCPREMOTEHOST"}},
    {"rdns", {"PNEU_RDNS"}},
    {"helo", {"PNEU_HELO", "HELO", "SMTPHELOHOST"}},
    {"protocol", {"PNEU_PROTOCOL"}},
    {"login", {"PNEU_LOGIN", "SMTPAUTHUSER"}},
    {"mechanism", {"PNEU_MECHANISM", "SMTPAUTHMETHOD"}},
    {"tls", {"PNEU_TLS"}},
    {"cipher", {"PNEU_CIPHER"}},
    {"sender", {"PNEU_SENDER", "SENDER", "SMTPMAILFROM"}},
    {"recipient", {"PNEU_RECIPIENT", "RECIPIENT", "SMTPRCPTTO"}},
    {"recipients", {"PNEU_RECIPIENTS", "SMTPRCPTCOUNT"}},
    {"size", {"PNEU_SIZE"}},
    {"instance", {"PNEU_INSTANCE"}},
};

static int
put_variable(stralloc *env, char const *name, char const *value, size_t len)
{
    return stralloc_cats(env, name) && stralloc_append(env, '=') && stralloc_catb(env, value, len) && stralloc_0(env);
}

static int
put_variables(stralloc *env, struct record const *r)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t j = 0; record_is(r, table[i].record) && j < 3 && table[i].variables[j]; j++)
            if (!put_variable(env, table[i].variables[j], r->value.s, r->value.len))
                return 0;
    return 1;
}

/* What is the same for all: nothing else of our environment is passed on. */
static int
put_constants(stralloc *env)
{
    static char const *const kept[] = {"PATH", "PNEU_HOME", "TMPDIR"};

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char const *value = getenv(kept[i]);
        if (value && !put_variable(env, kept[i], value, strlen(value)))
            return 0;
    }
    return put_variable(env, "PROTO", "TCP", 3);
}

static int
scan_phase(struct bytes word, enum hook_phase *phase)
{
    for (unsigned int i = 0; i < HOOK_PHASES; i++)
        if (strlen(hook_phases[i]) == word.len && !memcmp(hook_phases[i], word.s, word.len)) {
            *phase = i;
            return 1;
        }
    return 0;
}

int
hookd_question_scan(struct bytes in, struct hookd_question *q)
{
    struct record r;
    int got, phased = 0;

    q->server.len = q->env.len = 0;
    q->message = 0;
    if (!put_constants(&q->env))
        return 0;
    while ((got = envelope_next(&in, &r)) == 1) {
        if (record_is(&r, "phase"))
            phased = scan_phase(r.value, &q->phase);
        else if (record_is(&r, "message"))
            q->message = 1;
        else if (record_is(&r, "server") && !stralloc_copyb(&q->server, r.value.s, r.value.len))
            return 0;
        if (!put_variables(&q->env, &r))
            return 0;
    }
    if (!stralloc_0(&q->server))
        return 0;
    q->server.len--;
    return !got && phased ? 1 : (errno = EPROTO, 0);
}

int
hookd_words(char const *line, stralloc *words)
{
    static char const plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t_./:,@%+-"; /* no '=': a shell would set it */
    int n = 0;

    words->len = 0;
    if (line[strspn(line, plain)])
        return 0;
    for (;;) {
        line += strspn(line, " \t");
        size_t len = strcspn(line, " \t");
        if (!len)
            return n;
        if (!stralloc_catb(words, line, len) || !stralloc_0(words))
            return -1;
        line += len;
        n++;
    }
}

/* ---- the answer ---- */

static void
read_failed(enum setting setting)
{
    struct log l;
    int e = errno;

    log_start(&l, "settings");
    log_str(&l, "file", control_path(setting));
    log_errno(&l, e);
    log_end(&l);
}

static enum setting
setting_of(enum hook_phase phase)
{
    static enum setting const settings[HOOK_PHASES] = {SET_connectcheck, SET_helocheck, SET_mailcheck, SET_rcptcheck,
                                                       SET_datacheck};

    return settings[phase];
}

/* Runs one program after the other, until one of them knows. */
static void
answer(struct hookd_question const *q, int message, struct hook_answer *a)
{
    stralloc lines = STRALLOC_ZERO;
    struct hookrun r = {.env = &q->env, .message = message, .phase = hook_phases[q->phase]};
    uint32_t seconds;

    a->verdict = HOOK_LATER;
    a->text.len = a->headers.len = 0;
    if (q->server.len ? setenv("PNEU_SERVER", q->server.s, 1) == -1 : unsetenv("PNEU_SERVER") == -1)
        return;
    if (!control_uint(SET_timeoutcheck, &seconds)) {
        read_failed(SET_timeoutcheck);
    } else if (control_list(setting_of(q->phase), &lines) == -1) {
        read_failed(setting_of(q->phase));
    } else {
        tain_now_g();
        tain_addsec_g(&r.deadline, (int)seconds);
        a->verdict = HOOK_GO;
        for (size_t at = 0; a->verdict == HOOK_GO && at < lines.len; at += strlen(lines.s + at) + 1) {
            r.line = lines.s + at;
            if (!hookrun(&r, a))
                break;
        }
    }
    stralloc_free(&lines);
}

/* ---- the connection ---- */

struct connection {
    int fd;
    stralloc in;
    size_t taken;
};

/* Takes the next frame. While `idle` SIGTERM may end us. Returns 1, or 0 at the end, or if what comes is no frame.
 * No time is kept: the client is pneu-smtpd, whose sessions end. */
static int
take(struct connection *c, size_t max, int idle, struct bytes *frame)
{
    struct pollfd x = {.fd = c->fd, .events = POLLIN};
    sigset_t none;

    sigemptyset(&none);
    for (;;) {
        struct bytes left = {c->in.s + c->taken, c->in.len - c->taken};
        int got = netstring_take(&left, max, frame);
        if (got) {
            c->taken = c->in.len - left.len;
            return got == 1;
        }
        if (c->taken && c->in.s) {
            c->in.len -= c->taken;
            memmove(c->in.s, c->in.s + c->taken, c->in.len);
            c->taken = 0;
        }
        if (idle && !c->in.len && ppoll(&x, 1, NULL, &none) == -1 && errno != EINTR)
            return 0;
        ssize_t n = stralloc_readyplus(&c->in, PIECE) ? fd_read(c->fd, c->in.s + c->in.len, PIECE) : -1;
        if (n <= 0)
            return 0;
        c->in.len += (size_t)n;
    }
}

/* The message that follows a question, into a file. What cannot be kept is read all the same: the client is told at the end.
 * Returns 1; 0 if the client went before its end. */
static int
spool(struct connection *c, int file, int *whole)
{
    struct bytes chunk;

    *whole = file != -1;
    for (;;) {
        if (!take(c, HOOK_CHUNK_MAX, 0, &chunk))
            return 0;
        if (!chunk.len)
            return 1;
        *whole = *whole && allwrite(file, chunk.s, chunk.len) == chunk.len;
    }
}

static int
send_answer(int fd, struct hook_answer const *a)
{
    stralloc out = STRALLOC_ZERO;
    int done = hook_answer_put(&out, a);

    for (size_t sent = 0; done && sent < out.len;) {
        ssize_t n = send(fd, out.s + sent, out.len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else
            done = n == -1 && errno == EINTR;
    }
    stralloc_free(&out);
    return done;
}

static int
one(struct connection *c, struct hookd_question *q, struct hook_answer *a)
{
    struct bytes frame;
    int file = -1, whole = 1, done;

    if (!take(c, HOOK_QUESTION_MAX, 1, &frame) || !hookd_question_scan(frame, q))
        return 0;
    if (q->message) {
        file = nameless_open();
        if (!spool(c, file, &whole)) {
            if (file != -1)
                close(file);
            return 0;
        }
    }
    if (whole) {
        answer(q, file, a);
    } else {
        a->verdict = HOOK_LATER;
        a->headers.len = 0;
        stralloc_copys(&a->text, "452 4.3.1 there is no room to look at the message");
    }
    if (file != -1)
        close(file);
    done = send_answer(c->fd, a);
    return done;
}

void
hookd_session(int fd)
{
    struct connection c = {.fd = fd, .in = STRALLOC_ZERO};
    struct hookd_question q = HOOKD_QUESTION_ZERO;
    struct hook_answer a = {.text = STRALLOC_ZERO, .headers = STRALLOC_ZERO};

    while (one(&c, &q, &a))
        ;
    stralloc_free(&c.in);
    stralloc_free(&q.server);
    stralloc_free(&q.env);
    hook_answer_free(&a);
}
