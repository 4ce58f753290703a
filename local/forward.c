/* Forward lines: all of them are one new message, named after its parent and
 * the recipient, so that a forward made twice is queued once. */

#include <errno.h>
#include <string.h>

#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "local/delivery.h"
#include "queue/envelope.h"
#include "queue/intake.h"

#define FORWARD_SECONDS 600 /* for all of it */

static int
put_bytes(stralloc *to, char const *name, struct bytes value)
{
    return !value.len || envelope_put(to, name, value.s, value.len);
}

/* "forward ID INDEX": everything it stands for. */
static int
put_token(stralloc *to, struct delivery const *d)
{
    char token[200] = "forward ";
    size_t n = 8, len = strlen(d->id);

    if (len > sizeof token - 8 - 1 - UINT32_FMT)
        return 0;
    memcpy(token + n, d->id, len);
    n += len;
    token[n++] = ' ';
    n += uint32_fmt(token + n, d->index);
    return envelope_put(to, "token", token, n);
}

static int
make_envelope(struct delivery const *d, stralloc const *addresses, stralloc *to)
{
    /* Reports are owed to the sender by the new message only if it has that
     * sender (RFC 3461 section 5.2.7); a list's owner asked for none. */
    int same = !strcmp(d->sender, d->newsender.s);
    int good = envelope_put(to, "from", d->newsender.s, d->newsender.len - 1) &&
               envelope_put(to, "origin", "forward", 7) && put_bytes(to, "body", d->body) &&
               (!d->smtputf8 || envelope_put(to, "smtputf8", "1", 1)) &&
               (!d->requiretls || envelope_put(to, "requiretls", "1", 1)) &&
               (!same || (put_bytes(to, "ret", d->ret) && put_bytes(to, "envid", d->envid)));

    for (size_t i = 0; good && i < addresses->len;) {
        char const *s = addresses->s + i;
        size_t len = strlen(s);
        good = envelope_put(to, "to", s, len) &&
               (!same || (put_bytes(to, "notify", d->notify) && put_bytes(to, "orcpt", d->orcpt)));
        i += len + 1;
    }
    return good;
}

static int
send_message(struct delivery *d, struct intake *in)
{
    struct bytes line = delivery_deliveredto(d);
    stralloc opening = STRALLOC_ZERO;
    char const *s;
    ssize_t n;
    /* The token makes the ID, so it comes first. */
    int begun = put_token(&opening, d) && intake_begin(in, (struct bytes){opening.s, opening.len}) &&
                intake_data(in, line.s, line.len);
    int e = errno;

    stralloc_free(&opening);
    errno = e;
    if (!begun)
        return 0;
    for (uint64_t at = 0; (n = message_read(d->message, at, &s)) > 0; at += (uint64_t)n)
        if (!intake_data(in, s, (size_t)n))
            return 0;
    return n == 0;
}

static int
answered(struct intake_answer const *a, struct outcome *o)
{
    char const *text = strchr(a->text, ' ');

    if (a->class == 'K')
        return outcome_set(o, 'K', "2.0.0", "forwarded as", text ? text + 1 : "", 0) || 1;
    return outcome_set(o, a->class == 'D' ? 'D' : 'Z', a->class == 'D' ? "5.3.0" : "4.3.0", "Unable to forward",
                       a->text, 0);
}

int
forward_send(struct delivery *d, stralloc const *addresses, struct outcome *o)
{
    struct intake in = INTAKE_ZERO;
    struct intake_answer answer;
    stralloc envelope = STRALLOC_ZERO;
    int done = 0;

    tain_now_set_stopwatch_g();
    tain_addsec_g(&in.deadline, FORWARD_SECONDS);
    if (!make_envelope(d, addresses, &envelope))
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    else if (!intake_open(&in))
        outcome_set(o, 'Z', "4.3.0", "Unable to reach the queue", 0, errno);
    else if (!send_message(d, &in) || !intake_end(&in, (struct bytes){envelope.s, envelope.len}, &answer))
        outcome_set(o, 'Z', "4.3.0", "Unable to forward", 0, errno);
    else
        done = answered(&answer, o);
    intake_close(&in);
    stralloc_free(&in.out);
    stralloc_free(&envelope);
    return done;
}
