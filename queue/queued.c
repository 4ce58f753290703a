#include "queue/queued.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "control/control.h"
#include "lib/confine.h"
#include "lib/date.h"
#include "lib/log.h"
#include "lib/serve.h"
#include "queue/envelope.h"
#include "queue/exits.h"
#include "queue/layout.h"
#include "queue/trigger.h"

#define UNANNOUNCED 4194304 /* a message grows by that much, then the disk is asked again */

int
queued_settings(struct queued *q, char const **which)
{
    struct control_number const wanted[] = {
        {SET_databytes, &q->databytes},
        {SET_minfree, &q->space.minfree},
        {SET_minfreeinodes, &q->space.minfreeinodes},
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which);
}

void
queued_session(struct queued *q, uint32_t uid, size_t slot)
{
    q->uid = uid;
    q->slot = slot;
    q->trusted = uid == q->pneud || uid == q->pneuf || uid == q->pneuq;
}

int
queued_confine(void)
{
    static struct confine_path const paths[] = {
        {"control", CONFINE_PATH_READ},
        {QUEUE_NEW, CONFINE_PATH_READ | CONFINE_PATH_WRITE},
        {"queue/lock", CONFINE_PATH_READ | CONFINE_PATH_WRITE},
    };
    static struct confine const c = {
        .may =
            CONFINE_READ | CONFINE_WRITE | CONFINE_SYNC | CONFINE_ACCEPT | CONFINE_FORK | CONFINE_PASS | CONFINE_LOCK,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = 268435456, /* an envelope may come to 64 MiB, and is there three
                            times at its end */
        .nofile = 64 + SERVE_AGAIN,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

static void
log_refused(struct queued const *q, struct intake_answer const *a, int e)
{
    struct log l;

    log_start(&l, "refused");
    log_uint(&l, "uid", q->uid);
    log_uint(&l, "code", a->exit);
    log_str(&l, "text", a->text);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

static enum receive_verdict
refuse(struct queued const *q, struct intake_answer *a, char class, unsigned int code, char const *text)
{
    receive_answer(a, class, code, text);
    log_refused(q, a, 0);
    return RECEIVE_REFUSED;
}

static enum receive_verdict
refuse_errno(struct queued const *q, struct intake_answer *a, int e)
{
    receive_answer_errno(a, e);
    log_refused(q, a, e);
    return RECEIVE_REFUSED;
}

/* The message is over, queued or not. */
static void
forget(void *data)
{
    struct queued *q = data;

    commit_close(&q->commit);
    space_give(&q->space, q->slot);
}

/* "Received: (pneu ID invoked by uid N); DATE": who is not trusted to say where
 * it came from. */
static int
add_received(struct queued *q)
{
    char date[DATE_SIZE];
    char line[128 + ID_LEN + DATE_SIZE];
    int n;

    date_fmt(date, (uint64_t)time(0), 0);
    n = snprintf(line, sizeof line, "Received: (pneu %s invoked by uid %u); %s\n", q->commit.id, (unsigned int)q->uid,
                 date);
    return commit_data(&q->commit, line, (size_t)n);
}

static int
begin_commit(struct queued *q, struct bytes opening)
{
    struct bytes token;

    if (envelope_find(opening, "token", &token) == 1)
        commit_begin_token(&q->commit, (uint32_t)q->origin, token.s, token.len);
    else if (!commit_begin(&q->commit))
        return 0;
    return q->trusted || add_received(q);
}

/* Between the commit and the answer nothing is done that can wait: neither log nor scheduler may be what makes a client
 * try again. */
static void
queued_told(void *data)
{
    struct queued *q = data;

    if (!q->pending)
        return;
    q->pending = 0;
    log_end(&q->line);
    if (q->delivers)
        trigger_pull(q->trigger, q->commit.id);
}

static enum receive_verdict
queued_begin(void *data, struct bytes opening, struct intake_answer *a)
{
    struct queued *q = data;
    struct bytes value;
    int got;

    parts_begin(&q->parts, q->trusted);
    q->bytes = 0;
    queued_told(q); /* a message that came right behind another: its ID takes that one's place */
    /* What cannot be known now is no way past it. */
    if (q->uid != q->pneuf && (access(control_path(SET_filter), F_OK) == 0 || errno != ENOENT))
        return refuse(q, a, 'Z', QUEUE_REFUSED_NOW, "4.7.0 messages come through the filter here");
    got = parts_add(&q->parts, opening);
    if (got != 1)
        return got ? refuse(q, a, 'Z', QUEUE_FORMAT, "4.5.2 malformed envelope") : refuse_errno(q, a, ENOMEM);
    q->size = q->checked = parts_number(opening, "size", 0);
    q->origin = q->uid == q->pneuf ? parts_number(opening, "uid", q->uid) : q->uid;
    q->unlimited = !q->databytes || (q->trusted && envelope_find(opening, "listener", &value) == 1);
    if (!q->unlimited && q->size > q->databytes)
        return refuse(q, a, 'D', QUEUE_REFUSED, "5.3.4 the message is larger than databytes");
    if (!space_take(&q->space, q->slot, q->size, q->uid == q->pneuq))
        return refuse_errno(q, a, errno);
    if (!begin_commit(q, opening)) {
        refuse_errno(q, a, errno);
        forget(q);
        return RECEIVE_REFUSED;
    }
    receive_answer(a, 'K', 0, "2.0.0 go on");
    return envelope_find(opening, "ask", &value) == 1 ? RECEIVE_ANSWER : RECEIVE_GO;
}

static enum receive_verdict
queued_more(void *data, char const *s, size_t len, struct intake_answer *a)
{
    struct queued *q = data;

    q->bytes += len;
    if (!q->unlimited && q->bytes > q->databytes)
        return refuse(q, a, 'D', QUEUE_REFUSED, "5.3.4 the message is larger than databytes");
    if (q->bytes >= q->checked + UNANNOUNCED) { /* nobody said that it would be so large */
        q->checked = q->bytes;
        if (!space_take(&q->space, q->slot, 0, q->uid == q->pneuq))
            return refuse_errno(q, a, errno);
    }
    return commit_data(&q->commit, s, len) ? RECEIVE_GO : refuse_errno(q, a, errno);
}

static void
prepare_log(struct queued *q, uint32_t recipients)
{
    struct bytes from = {"", 0};
    struct bytes head = {q->parts.head.s, q->parts.head.len};

    envelope_find(head, "from", &from);
    log_start(&q->line, "queued");
    log_str(&q->line, "id", q->commit.id);
    log_uint(&q->line, "uid", q->origin);
    log_uint(&q->line, "bytes", q->commit.message);
    log_bytes(&q->line, "from", from.s, from.len);
    log_uint(&q->line, "recipients", recipients);
    q->pending = 1;
    q->delivers = recipients != 0;
}

static void
commit(struct queued *q, struct bytes closing, struct intake_answer *a)
{
    char text[6 + ID_SIZE] = "2.0.0 ";
    struct bytes envelope, token;
    uint32_t recipients;
    int got = parts_add(&q->parts, closing);

    if (got == -1 || envelope_find(closing, "token", &token) == 1) {
        refuse(q, a, 'Z', QUEUE_FORMAT, "4.5.2 malformed envelope");
        return;
    }
    if (!got || !parts_join(&q->parts, q->origin, &envelope)) {
        refuse_errno(q, a, ENOMEM);
        return;
    }
    if (envelope.len > ENVELOPE_MAX || !envelope_check(envelope, &recipients)) {
        parts_blame(envelope, a);
        log_refused(q, a, 0);
        return;
    }
    /* Nobody gets a message without recipients: it is delivered. */
    if (recipients && !commit_end(&q->commit, envelope, recipients)) {
        refuse_errno(q, a, errno);
        return;
    }
    memcpy(text + 6, q->commit.id, ID_SIZE);
    receive_answer(a, 'K', 0, text);
    prepare_log(q, recipients);
}

static enum receive_verdict
queued_end(void *data, struct bytes closing, struct intake_answer *a)
{
    struct queued *q = data;

    commit(q, closing, a);
    forget(q);
    return RECEIVE_ANSWER;
}

struct receive_ops const queued_ops = {queued_begin, queued_more, queued_end, forget, queued_told};
