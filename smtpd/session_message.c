#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

#include "queue/envelope.h"
#include "smtpd/received.h"
#include "smtpd/session_inner.h"

static void
log_message(struct session *s, char const *event, char const *key, char const *value)
{
    struct log l;

    session_log_line(s, &l, event);
    if (s->login.len)
        log_bytes(&l, "login", s->login.s, s->login.len);
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

char const *
session_with(struct session const *s, char name[static SESSION_WITH_SIZE])
{
    char const *base = s->kind == KIND_LMTP ? "LMTP" : s->params.smtputf8 || !s->esmtp ? "SMTP" : "ESMTP";
    size_t len = 0;

    if (s->params.smtputf8) {
        memcpy(name, "UTF8", 4);
        len = 4;
    }
    memcpy(name + len, base, strlen(base));
    len += strlen(base);
    if (s->tls.protocol && (s->esmtp || len > 4))
        name[len++] = 'S';
    if (s->login.len)
        name[len++] = 'A';
    name[len] = 0;
    return name;
}

/* The envelope goes ahead of the message, whole: so the queue can refuse before a byte of data was sent. */
static int
envelope(struct session *s, stralloc *to)
{
    char const *listener = s->policy->listener;

    to->len = 0;
    return envelope_putuint(to, "ask", 1) && (!s->params.size || envelope_putuint(to, "size", s->params.size)) &&
           envelope_put(to, "from", s->sender.s, s->sender.len) && stralloc_catb(to, s->records.s, s->records.len) &&
           envelope_put(to, "origin", "smtp", 4) &&
           (!s->peer->ip[0] || envelope_put(to, "client", s->peer->ip, strlen(s->peer->ip))) &&
           (!listener || envelope_put(to, "listener", listener, strlen(listener))) &&
           (!s->login.len || envelope_put(to, "login", s->login.s, s->login.len)) &&
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

/* A refusal of what has come in so far. */
static void
give_up(struct session *s, char const *refusal)
{
    session_drop(s);
    s->why = refusal;
}

/* Hands bytes of the message on. Returns 1; 0: the message is lost, s->why is the reply. */
static int
give(struct session *s, char const *bytes, size_t len)
{
    char const *refusal;

    if (!len)
        return 1;
    if (!s->queue->data(s->queue->to, bytes, len)) {
        s->open = 0;
        refusal = unreachable;
    } else
        refusal = session_check_data(s, bytes, len);
    if (!refusal)
        return 1;
    give_up(s, refusal);
    return 0;
}

/* The same for what the client sends: the header of a submitted message is completed on the way. */
static void
give_data(struct session *s, char const *bytes, size_t len)
{
    size_t used = 0;

    if (s->tidying && len) {
        char const *refusal = session_tidy(s, bytes, len, &used);
        if (refusal)
            give_up(s, refusal);
        if (refusal || s->tidying || !give(s, s->tidy.out.s, s->tidy.out.len))
            return;
    }
    (void)give(s, bytes + used, len - used);
}

/* The message may have ended in its header. */
static void
give_end(struct session *s)
{
    if (!s->open || !s->tidying)
        return;
    char const *refusal = session_tidy_end(s);
    if (refusal)
        give_up(s, refusal);
    else
        (void)give(s, s->tidy.out.s, s->tidy.out.len);
}

static int
send_trace(struct session *s)
{
    char protocol[SESSION_WITH_SIZE];
    struct received const r = {
        .helo = {s->helo.s, s->helo.len},
        .peer = s->peer,
        .me = s->policy->me.s,
        .with = session_with(s, protocol),
        .tls = &s->tls,
        .recipient = {s->only.s, s->count == 1 ? s->only.len : 0},
        .now = s->queue->now(s->queue->to),
        .hidden = s->login.len && s->policy->submit.hideclient,
    };

    s->scratch.len = 0;
    return received_put(&s->scratch, &r) && give(s, s->headers.s, s->headers.len) &&
           give(s, s->scratch.s, s->scratch.len);
}

/* Makes the envelope and asks the queue. Returns NULL, and the message is open; or the reply that refuses it, which may
 * lie in scratch. */
static char const *
begin_message(struct session *s)
{
    struct intake_answer answer;
    char const *refusal;

    data_init(&s->data, s->policy->databytes, s->policy->maxline, s->policy->maxhops);
    s->why = NULL;
    refusal = session_check_begin(s);
    if (refusal)
        return refusal;
    if (!envelope(s, &s->scratch)) {
        session_nomemory(s);
        return unreachable;
    }
    if (!s->queue->begin(s->queue->to, (struct bytes){s->scratch.s, s->scratch.len}, &answer))
        refusal = unreachable;
    else if (answer.class != 'K')
        refusal = reply_of(s, &answer);
    if (refusal) {
        session_check_drop(s);
        return refusal;
    }
    s->open = 1;
    session_tidy_begin(s);
    if (send_trace(s))
        return NULL;
    session_drop(s);
    return s->why ? s->why : unreachable;
}

void
session_data(struct session *s, struct bytes arg)
{
    char const *refusal = NULL;

    if (arg.len)
        refusal = "501 5.5.4 no argument here";
    else if (s->chunked)
        refusal = "503 5.5.1 this message has begun with BDAT";
    else if (!s->count)
        refusal = s->has_sender ? "554 5.5.1 no valid recipient" : "503 5.5.1 MAIL first";
    if (refusal) {
        refuse_data(s, refusal);
        return;
    }
    refusal = begin_message(s);
    if (refusal) {
        log_message(s, "refused", "reply", refusal);
        refuse_data(s, refusal);
        return;
    }
    s->state = SESSION_DATA;
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

/* The reply to the whole message: one, or by LMTP one for each recipient (RFC 2033 section 4.2). They are all the same,
 * because the queue takes a message for all of them or for none. */
static void
reply_to_message(struct session *s, char const *text, uint32_t count)
{
    while (--count) {
        session_says(s, text);
        session_says(s, "\r\n");
    }
    session_reply(s, text);
}

static void
message_end(struct session *s)
{
    struct intake_answer answer = {.class = 0};
    int each = s->kind == KIND_LMTP && (!s->chunked || s->last);
    uint32_t count = each ? s->count : 1;

    give_end(s);
    char const *text = s->why;
    s->state = SESSION_COMMAND;
    s->messages++;
    if (!s->open)
        text = text ? text : refusal_of_data(s->data.wrong);
    else if ((text = session_check_end(s)))
        session_drop(s);
    else if (!s->queue->end(s->queue->to, &answer))
        text = unreachable;
    else
        text = reply_of(s, &answer);
    s->open = 0;
    if (*text == '2')
        log_message(s, "accepted", "id", id_of(&answer));
    else
        log_message(s, "refused", "reply", text);
    int disputed = s->data.wrong & DATA_BARE && !s->chunked;
    session_reset(s);
    reply_to_message(s, text, count);
    /* Where lines end is in dispute with this client, or with one that speaks through it: no word of it is safe now.
     * Chunks are counted, so there is no dispute about theirs. */
    if (disputed)
        session_hangup(s, NULL, "bare");
}

/* Bytes that a message brought: the queue gets the first `out` of them. */
static void
take(struct session *s, char const *bytes, size_t len, size_t out)
{
    s->bytes += len;
    if (s->policy->sessionbytes && s->bytes > s->policy->sessionbytes) {
        session_hangup(s, "421 4.7.0 enough bytes for one connection", "sessionbytes");
        return;
    }
    if (s->data.wrong)
        session_drop(s);
    if (s->open)
        give_data(s, bytes, out);
}

size_t
session_message(struct session *s, char *bytes, size_t len)
{
    size_t out;
    size_t n = data_decode(&s->data, bytes, len, &out);

    take(s, bytes, n, out);
    if (s->state == SESSION_DATA && s->data.state == DATA_END)
        message_end(s);
    return n;
}

/* ---- BDAT (RFC 3030) ---- */

/* "SIZE" or "SIZE LAST". */
static int
scan_chunk(struct session *s, struct bytes arg)
{
    size_t i = 0;

    s->chunk = 0;
    for (; i < arg.len && arg.s[i] >= '0' && arg.s[i] <= '9'; i++) {
        unsigned int digit = (unsigned char)arg.s[i] - (unsigned int)'0';
        if (s->chunk > (UINT64_MAX - digit) / 10)
            return 0;
        s->chunk = s->chunk * 10 + digit;
    }
    s->last = i < arg.len;
    if (!i || !s->last)
        return i != 0;
    size_t blanks = i;
    while (i < arg.len && arg.s[i] == ' ')
        i++;
    return i > blanks && arg.len - i == 4 && !strncasecmp(arg.s + i, "LAST", 4);
}

/* All bytes of a chunk have been read, also those of one that was refused: only then is there a reply. */
static void
chunk_end(struct session *s)
{
    char size[UINT64_FMT];

    s->state = SESSION_COMMAND;
    if (!s->chunked) {
        session_reply(s, s->why);
        return;
    }
    if (s->open && s->last)
        data_chunk_last(&s->data);
    if (s->data.wrong)
        session_drop(s);
    if (!s->open || s->last) {
        message_end(s);
        return;
    }
    session_says(s, "250 2.0.0 ");
    session_say(s, size, uint64_fmt(size, s->chunk));
    session_says(s, " bytes taken, go on\r\n");
}

/* After a refusal the transaction is gone: the chunks that a client had sent along have no MAIL before them. */
void
session_bdat(struct session *s, struct bytes arg)
{
    if (!scan_chunk(s, arg)) {
        session_hangup(s, "501 5.5.4 BDAT wants a size; what follows cannot be told from commands, goodbye", "chunk");
        return;
    }
    s->why = NULL;
    if (!s->count)
        s->why = s->has_sender ? "554 5.5.1 no valid recipient" : "503 5.5.1 MAIL first";
    else if (!s->chunked) {
        s->chunked = 1;
        s->why = begin_message(s);
    }
    if (s->state == SESSION_OVER)
        return;
    s->state = SESSION_CHUNK;
    s->left = s->chunk;
    if (!s->left)
        chunk_end(s);
}

size_t
session_chunk(struct session *s, char *bytes, size_t len)
{
    size_t n = len < s->left ? len : (size_t)s->left;
    size_t out = s->open ? data_chunk(&s->data, bytes, n) : 0;

    s->left -= n;
    take(s, bytes, n, out);
    if (s->state == SESSION_CHUNK && !s->left)
        chunk_end(s);
    return n;
}
