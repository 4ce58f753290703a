#include <string.h>

#include "queue/envelope.h"
#include "smtpd/received.h"
#include "smtpd/session_inner.h"

static void
log_message(struct session *s, char const *event, char const *key, char const *value)
{
    struct log l;

    session_log_line(s, &l, event);
    if (s->count == 1)
        log_bytes(&l, "to", s->only.s, s->only.len);
    log_uint(&l, "recipients", s->count);
    log_uint(&l, "size", s->data.bytes);
    if (!strcmp(key, "reply"))
        session_log_reply(&l, value);
    else
        log_str(&l, key, value);
    s->queue->log(&l);
}

/* The envelope goes ahead of the message, whole: so the queue can refuse before a byte of data was sent. */
static int
envelope(struct session *s, stralloc *to)
{
    char const *listener = s->policy->listener;

    to->len = 0;
    return envelope_putuint(to, "ask", 1) && (!s->params.size || envelope_putuint(to, "size", s->params.size)) &&
           envelope_put(to, "from", s->sender.s, s->sender.len) &&
           (!s->params.body || envelope_put(to, "body", s->params.body, strlen(s->params.body))) &&
           envelope_put(to, "origin", "smtp", 4) &&
           (!s->peer->ip[0] || envelope_put(to, "client", s->peer->ip, strlen(s->peer->ip))) &&
           (!listener || envelope_put(to, "listener", listener, strlen(listener))) &&
           stralloc_catb(to, s->recipients.s, s->recipients.len);
}

/* What the queue calls an accepted message. */
static char const *
id_of(struct intake_answer const *answer)
{
    char const *blank = strchr(answer->text, ' ');

    return blank ? blank + 1 : answer->text;
}

/* What the queue said, as a reply: code, enhanced code, printable text. */
static char const *
reply_of(struct session *s, struct intake_answer const *answer)
{
    int never = answer->class == 'D', coded = answer->text[0] == (never ? '5' : '4') && answer->text[1] == '.';
    char const *code = never ? "554 " : !strncmp(answer->text, "4.3.1", 5) ? "452 " : "451 ";
    stralloc *text = &s->scratch;
    int made;

    text->len = 0;
    if (answer->class == 'K')
        made = stralloc_cats(text, "250 2.0.0 ok ") && stralloc_cats(text, id_of(answer));
    else
        made = stralloc_cats(text, code) && (coded || stralloc_cats(text, never ? "5.3.0 " : "4.3.0 ")) &&
               stralloc_cats(text, answer->text);
    if (!made || !stralloc_0(text)) {
        session_nomemory(s);
        return "451 4.3.0 out of memory";
    }
    for (size_t i = 0; i + 1 < text->len; i++)
        if (text->s[i] < 32 || text->s[i] > 126)
            text->s[i] = '?';
    return text->s;
}

static char const unreachable[] = "451 4.3.0 the queue cannot be reached";

/* Refuses DATA. Who sent the message along without waiting for the answer would now have it read as commands. */
static void
refuse_data(struct session *s, char const *text)
{
    session_reply(s, text);
    s->last_refused = 1;
    if (s->more)
        session_hangup(s, "421 4.5.0 you did not wait for the answer to DATA", "early");
}

static int
send_trace(struct session *s)
{
    struct received const r = {
        .helo = {s->helo.s, s->helo.len},
        .peer = s->peer,
        .me = s->policy->me.s,
        .with = s->esmtp ? "ESMTP" : "SMTP",
        .recipient = {s->only.s, s->count == 1 ? s->only.len : 0},
        .now = s->queue->now(s->queue->to),
    };

    s->scratch.len = 0;
    return received_put(&s->scratch, &r) && s->queue->data(s->queue->to, s->scratch.s, s->scratch.len);
}

/* The envelope is in scratch. Returns NULL, or the reply that refuses it. */
static char const *
begin_message(struct session *s)
{
    struct intake_answer answer;

    if (!s->queue->begin(s->queue->to, (struct bytes){s->scratch.s, s->scratch.len}, &answer))
        return unreachable;
    if (answer.class != 'K')
        return reply_of(s, &answer);
    return send_trace(s) ? NULL : unreachable;
}

void
session_data(struct session *s, struct bytes arg)
{
    char const *refusal;

    if (!s->count) {
        refuse_data(s, s->has_sender ? "554 5.5.1 no valid recipient" : "503 5.5.1 MAIL first");
        return;
    }
    data_init(&s->data, s->policy->databytes, s->policy->maxline, s->policy->maxhops);
    if (!envelope(s, &s->scratch)) {
        session_nomemory(s);
        return;
    }
    refusal = begin_message(s);
    if (refusal) {
        log_message(s, "refused", "reply", refusal);
        refuse_data(s, refusal);
        return;
    }
    s->state = SESSION_DATA;
    s->dropped = 0;
    s->why = NULL;
    session_says(s, "354 go ahead, end with <CRLF>.<CRLF>\r\n");
}

static char const *
refusal_of_data(unsigned int wrong)
{
    if (wrong & DATA_BARE)
        return "550 5.6.11 a CR or LF stands alone in the message";
    if (wrong & DATA_SIZE)
        return "552 5.3.4 the message is too large";
    if (wrong & DATA_LONG)
        return "554 5.6.0 a line of the message is too long";
    return "554 5.4.6 too many hops, this message is going round in circles";
}

static void
message_end(struct session *s)
{
    struct intake_answer answer = {.class = 0};
    char const *text = s->why;

    s->state = SESSION_COMMAND;
    s->messages++;
    if (s->dropped)
        text = text ? text : refusal_of_data(s->data.wrong);
    else if (!s->queue->end(s->queue->to, &answer))
        text = unreachable;
    else
        text = reply_of(s, &answer);
    if (*text == '2')
        log_message(s, "accepted", "id", id_of(&answer));
    else
        log_message(s, "refused", "reply", text);
    session_reset(s);
    session_reply(s, text);
    /* Where lines end is in dispute with this client, or with one that speaks through it: no word of it is safe now. */
    if (s->data.wrong & DATA_BARE)
        session_hangup(s, NULL, "bare");
}

/* Returns how many bytes belonged to the message. */
size_t
session_message(struct session *s, char *bytes, size_t len)
{
    size_t out;
    size_t n = data_decode(&s->data, bytes, len, &out);

    if (s->data.wrong && !s->dropped) {
        s->queue->drop(s->queue->to);
        s->dropped = 1;
    }
    if (!s->dropped && out && !s->queue->data(s->queue->to, bytes, out)) {
        s->dropped = 1;
        s->why = unreachable;
    }
    if (s->data.state == DATA_END)
        message_end(s);
    return n;
}
