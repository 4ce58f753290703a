#include "queue/filterd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "control/control.h"
#include "lib/confine.h"
#include "lib/date.h"
#include "lib/log.h"
#include "lib/nameless.h"
#include "queue/envelope.h"
#include "queue/exits.h"

int
filterd_confine(void)
{
    static struct confine const c = {
        .may = CONFINE_READ, /* for statfs; no path is given, so nothing can be opened */
        .as = 268435456,
        .nofile = CONFINE_SAME,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

/* The runner's life: for each byte runs the programs, empties the files, answers with the exit code. 'r' run, 'd' drop. */
static void
run_on_demand(struct filterd const *f, int from)
{
    char order;

    while (fd_read(from, &order, 1) == 1) {
        unsigned char code = 0;
        if (order == 'r')
            code = (unsigned char)filterd_run(f->message, f->envelope, f->records, f->seconds);
        if (ftruncate(f->message, 0) == -1 || ftruncate(f->envelope, 0) == -1 || ftruncate(f->records, 0) == -1)
            break; /* the next message must not meet the rest of this one */
        if (fd_write(from, (char const *)&code, 1) != 1)
            break;
    }
}

int
filterd_session(struct filterd *f, uint32_t uid, size_t slot, int client)
{
    int pair[2];
    pid_t pid;

    f->uid = uid;
    f->slot = slot;
    f->message = nameless_open();
    f->envelope = memfd_create("envelope", MFD_CLOEXEC);
    f->records = memfd_create("records", MFD_CLOEXEC);
    if (f->message == -1 || f->envelope == -1 || f->records == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
        return 0;
    pid = fork();
    if (pid == -1)
        return 0;
    if (!pid) {
        close(pair[0]);
        close(client);
        run_on_demand(f, pair[1]);
        _exit(0);
    }
    close(pair[1]);
    f->runner = pair[0];
    return filterd_confine();
}

static void
log_filtered(struct filterd const *f, struct intake_answer const *a, uint32_t recipients)
{
    struct bytes from = {"", 0};
    struct bytes head = {f->parts.head.s, f->parts.head.len};
    struct log l;

    envelope_find(head, "from", &from);
    log_start(&l, a->class == 'K' ? "filtered" : "refused");
    log_uint(&l, "uid", f->origin);
    log_uint(&l, "code", a->exit);
    log_uint(&l, "bytes", f->bytes);
    log_bytes(&l, "from", from.s, from.len);
    log_uint(&l, "recipients", recipients);
    if (a->class != 'K')
        log_str(&l, "text", a->text);
    log_end(&l);
}

static enum receive_verdict
refuse(struct filterd *f, struct intake_answer *a, char class, unsigned int code, char const *text)
{
    receive_answer(a, class, code, text);
    log_filtered(f, a, 0);
    return RECEIVE_REFUSED;
}

static enum receive_verdict
refuse_errno(struct filterd *f, struct intake_answer *a, int e)
{
    receive_answer_errno(a, e);
    log_filtered(f, a, 0);
    return RECEIVE_REFUSED;
}

static int
write_whole(int fd, char const *s, size_t len)
{
    return allwrite(fd, s, len) == len;
}

/* Who brought it, where nobody is trusted to say so: pneu-queued sees only us. */
static int
add_received(struct filterd const *f)
{
    char date[DATE_SIZE];
    char line[128 + DATE_SIZE];
    int n;

    date_fmt(date, (uint64_t)time(0), 0);
    n = snprintf(line, sizeof line, "Received: (pneu-filterd invoked by uid %u); %s\n", (unsigned int)f->uid, date);
    return write_whole(f->message, line, (size_t)n);
}

static int
rewind_all(struct filterd const *f)
{
    return lseek(f->message, 0, SEEK_SET) == 0 && lseek(f->envelope, 0, SEEK_SET) == 0 &&
           lseek(f->records, 0, SEEK_SET) == 0;
}

static enum receive_verdict
filterd_begin(void *data, struct bytes opening, struct intake_answer *a)
{
    struct filterd *f = data;
    int trusted = f->uid == f->pneud || f->uid == f->pneuf || f->uid == f->pneuq;
    uint64_t size = parts_number(opening, "size", 0);
    struct bytes value;
    int got;

    f->bytes = 0;
    f->origin = f->uid;
    parts_begin(&f->parts, trusted);
    got = parts_add(&f->parts, opening);
    if (got != 1)
        return got ? refuse(f, a, 'Z', QUEUE_FORMAT, "4.5.2 malformed envelope") : refuse_errno(f, a, ENOMEM);
    f->unlimited = !f->databytes || (trusted && envelope_find(opening, "listener", &value) == 1);
    if (!f->unlimited && size > f->databytes)
        return refuse(f, a, 'D', QUEUE_REFUSED, "5.3.4 the message is larger than databytes");
    if (!space_take(&f->space, f->slot, size, f->uid == f->pneuq) || !rewind_all(f) || (!trusted && !add_received(f)))
        return refuse_errno(f, a, errno);
    f->token.len = 0;
    if (envelope_find(opening, "token", &value) == 1 && value.len <= ENVELOPE_VALUE_MAX - 16) {
        int n = snprintf(f->token.name, sizeof f->token.name, "%u ", (unsigned int)f->uid);
        memcpy(f->token.name + n, value.s, value.len);
        f->token.len = (size_t)n + value.len;
    }
    receive_answer(a, 'K', 0, "2.0.0 go on");
    return envelope_find(opening, "ask", &value) == 1 ? RECEIVE_ANSWER : RECEIVE_GO;
}

static enum receive_verdict
filterd_more(void *data, char const *s, size_t len, struct intake_answer *a)
{
    struct filterd *f = data;

    f->bytes += len;
    if (!f->unlimited && f->bytes > f->databytes)
        return refuse(f, a, 'D', QUEUE_REFUSED, "5.3.4 the message is larger than databytes");
    return write_whole(f->message, s, len) ? RECEIVE_GO : refuse_errno(f, a, errno);
}

int
filterd_envelope(stralloc *to, struct bytes envelope)
{
    struct bytes from, cursor = envelope;
    struct record r;
    int got;

    if (envelope_find(envelope, "from", &from) != 1)
        return (errno = EPROTO, 0);
    if (!stralloc_catb(to, "F", 1) || !stralloc_catb(to, from.s, from.len) || !stralloc_0(to))
        return 0;
    while ((got = envelope_next(&cursor, &r)) == 1)
        if (record_is(&r, "to") &&
            (!stralloc_catb(to, "T", 1) || !stralloc_catb(to, r.value.s, r.value.len) || !stralloc_0(to)))
            return 0;
    return got == 0 && stralloc_0(to);
}

/* Writes the two envelopes. The uid and the token go along with the records, since pneu-queued believes us. */
static int
write_envelopes(struct filterd *f, struct bytes envelope)
{
    stralloc text = STRALLOC_ZERO;
    int done = filterd_envelope(&text, envelope) && write_whole(f->envelope, text.s, text.len);

    text.len = 0;
    done = done && envelope_putuint(&text, "uid", f->origin) &&
           (!f->token.len || envelope_put(&text, "token", f->token.name, f->token.len)) &&
           stralloc_catb(&text, envelope.s, envelope.len) && write_whole(f->records, text.s, text.len);
    stralloc_free(&text);
    return done;
}

void
filterd_judge(int code, struct intake_answer *a)
{
    if (!code)
        receive_answer(a, 'K', 0, "2.0.0 filtered");
    else if (code == QUEUE_LONG)
        receive_answer(a, 'D', QUEUE_LONG, "5.1.3 an address is too long");
    else if (code >= 11 && code <= 40)
        receive_answer(a, 'D', (unsigned int)code, "5.7.1 the message is refused");
    else if (code == QUEUE_WRITE)
        receive_answer(a, 'Z', QUEUE_WRITE, "4.3.1 the queue's disk is full");
    else
        receive_answer(a, 'Z', (unsigned int)code, "4.3.0 the message cannot be taken now");
}

/* Returns the exit code, -1 if the runner does not hear or answer. */
static int
order(struct filterd const *f, char what)
{
    unsigned char code;

    if (fd_write(f->runner, &what, 1) != 1 || fd_read(f->runner, (char *)&code, 1) != 1)
        return -1;
    return code;
}

static enum receive_verdict
filterd_end(void *data, struct bytes closing, struct intake_answer *a)
{
    struct filterd *f = data;
    struct bytes envelope;
    uint32_t recipients = 0;
    int got = parts_add(&f->parts, closing);
    char what = 'd';

    if (got == -1)
        receive_answer(a, 'Z', QUEUE_FORMAT, "4.5.2 malformed envelope");
    else if (!got || !parts_join(&f->parts, f->origin, &envelope))
        receive_answer_errno(a, ENOMEM);
    else if (envelope.len > ENVELOPE_MAX || !envelope_check(envelope, &recipients))
        parts_blame(envelope, a);
    else if (!write_envelopes(f, envelope))
        receive_answer_errno(a, errno);
    else
        what = 'r';
    got = order(f, what);
    if (what == 'r')
        filterd_judge(got == -1 ? QUEUE_BUG : got, a);
    log_filtered(f, a, recipients);
    space_give(&f->space, f->slot);
    /* Without the runner's word the files may not be empty, or a chain may still read them: no other message may lie there. */
    return got == -1 ? RECEIVE_REFUSED : RECEIVE_ANSWER;
}

static void
filterd_drop(void *data)
{
    struct filterd *f = data;

    space_give(&f->space, f->slot); /* the session ends: its files go with it */
}

struct receive_ops const filterd_ops = {filterd_begin, filterd_more, filterd_end, filterd_drop, 0};
