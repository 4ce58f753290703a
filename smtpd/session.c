#include "smtpd/session.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

#include "lib/addr.h"
#include "queue/envelope.h"
#include "smtpd/received.h"

/* ---- replies ---- */

static void
out_of_memory(struct session *s)
{
    session_hangup(s, NULL, "memory");
}

static void
say(struct session *s, char const *text, size_t len)
{
    if (!stralloc_catb(&s->out, text, len))
        out_of_memory(s);
}

static void
says(struct session *s, char const *text)
{
    say(s, text, strlen(text));
}

/* One whole reply. Every 4xx and 5xx counts as an error of the client's. */
static void
reply(struct session *s, char const *text)
{
    says(s, text);
    says(s, "\r\n");
    if (*text < '4' || s->state == SESSION_OVER)
        return;
    s->errors++;
    if (s->policy->maxerrors && s->errors >= s->policy->maxerrors)
        session_hangup(s, "421 4.7.0 too many errors, goodbye", "errors");
}

void
session_hangup(struct session *s, char const *text, char const *reason)
{
    if (s->state == SESSION_OVER)
        return;
    if (s->state == SESSION_DATA && !s->dropped)
        s->queue->drop(s->queue->to);
    s->state = SESSION_OVER;
    s->reason = reason;
    if (text) {
        says(s, text);
        says(s, "\r\n");
    }
}

/* ---- the log ---- */

static void
log_line(struct session *s, struct log *l, char const *event)
{
    log_start(l, event);
    log_str(l, "client", s->peer->ip[0] ? s->peer->ip : "unknown");
    if (s->policy->listener)
        log_str(l, "server", s->policy->listener);
    if (s->helo.len)
        log_bytes(l, "helo", s->helo.s, s->helo.len);
    if (s->has_sender)
        log_bytes(l, "from", s->sender.s, s->sender.len);
}

/* A reply as one readable word: "550_5.1.1_there_is_no_such_mailbox". */
static void
log_reply(struct log *l, char const *text)
{
    char word[200];
    size_t len = strnlen(text, sizeof word);

    for (size_t i = 0; i < len; i++)
        word[i] = text[i] == ' ' ? '_' : text[i];
    log_bytes(l, "reply", word, len);
}

/* Something was refused: the reply says why. */
static void
log_refusal(struct session *s, char const *event, struct bytes to, char const *text)
{
    struct log l;

    log_line(s, &l, event);
    if (to.len)
        log_bytes(&l, "to", to.s, to.len);
    log_reply(&l, text);
    s->queue->log(&l);
}

static void
log_message(struct session *s, char const *event, char const *key, char const *value)
{
    struct log l;

    log_line(s, &l, event);
    if (s->count == 1)
        log_bytes(&l, "to", s->only.s, s->only.len);
    log_uint(&l, "recipients", s->count);
    log_uint(&l, "size", s->data.bytes);
    if (!strcmp(key, "reply"))
        log_reply(&l, value);
    else
        log_str(&l, key, value);
    s->queue->log(&l);
}

void
session_log_end(struct session *s)
{
    struct log l;

    if (!s->reason)
        return;
    log_line(s, &l, "hangup");
    log_str(&l, "reason", s->reason);
    log_uint(&l, "messages", s->messages);
    log_uint(&l, "errors", s->errors);
    s->queue->log(&l);
}

/* ---- greeting, reset ---- */

static void
reset(struct session *s)
{
    s->has_sender = 0;
    s->sender.len = s->recipients.len = s->only.len = 0;
    s->count = 0;
    s->params = (struct params){0};
}

static int
is_text(struct bytes arg)
{
    for (size_t i = 0; i < arg.len; i++)
        if (arg.s[i] < 32 || arg.s[i] > 126)
            return 0;
    return arg.len != 0;
}

/* Any printing argument is taken: hosts that do not know their name are none the worse for it. */
static int
hello(struct session *s, struct bytes arg, int esmtp)
{
    if (!is_text(arg)) {
        reply(s, "501 5.5.4 say your name");
        return 0;
    }
    reset(s);
    s->esmtp = esmtp;
    if (!stralloc_copyb(&s->helo, arg.s, arg.len))
        out_of_memory(s);
    return s->state != SESSION_OVER;
}

static void
do_helo(struct session *s, struct bytes arg)
{
    if (!hello(s, arg, 0))
        return;
    says(s, "250 ");
    says(s, s->policy->me.s);
    says(s, "\r\n");
}

static void
do_ehlo(struct session *s, struct bytes arg)
{
    char size[UINT32_FMT];

    if (!hello(s, arg, 1))
        return;
    says(s, "250-");
    says(s, s->policy->me.s);
    says(s, "\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE ");
    say(s, size, uint32_fmt(size, s->policy->databytes));
    says(s, "\r\n250 HELP\r\n");
}

/* ---- the envelope ---- */

/* Takes "FROM:" or "TO:" and blanks off the argument. */
static int
take_word(struct bytes *arg, char const *word)
{
    size_t len = strlen(word);

    if (arg->len < len || strncasecmp(arg->s, word, len) != 0)
        return 0;
    arg->s += len;
    arg->len -= len;
    while (arg->len && *arg->s == ' ') {
        arg->s++;
        arg->len--;
    }
    return 1;
}

/* 1 if a path was read, else the reply that says why not is given; `malformed` is it for most reasons. */
static int
take_path(struct session *s, struct bytes *arg, unsigned int how, stralloc *address, char const *malformed)
{
    if (addr_path(arg, how | ADDR_BARE, address))
        return 1;
    if (errno == ENOMEM)
        out_of_memory(s);
    else if (errno == EILSEQ)
        reply(s, "553 5.6.7 no address here has bytes from 0x80");
    else
        reply(s, errno == EMSGSIZE ? "501 5.1.0 the address is too long" : malformed);
    return 0;
}

static void
do_mail(struct session *s, struct bytes arg)
{
    char const *refusal = NULL;

    if (!s->helo.len)
        refusal = "503 5.5.1 EHLO first";
    else if (s->has_sender)
        refusal = "503 5.5.1 there is a sender already";
    else if (!take_word(&arg, "FROM:"))
        refusal = "501 5.5.4 MAIL FROM:<address>";
    if (refusal) {
        reply(s, refusal);
        return;
    }
    if (s->policy->maxmessages && s->messages >= s->policy->maxmessages) {
        session_hangup(s, "421 4.7.0 enough messages for one connection", "messages");
        return;
    }
    if (!take_path(s, &arg, ADDR_NULL | ADDR_LOCAL, &s->sender, "501 5.1.7 malformed sender"))
        return;
    refusal = params_scan(arg, PARAMS_MAIL, &s->params);
    if (!refusal && s->policy->databytes && s->params.size > s->policy->databytes)
        refusal = "552 5.3.4 the message is too large";
    if (!refusal && policy_bad_sender(s->policy, s->sender.s, s->sender.len))
        refusal = "553 5.7.1 this sender is not welcome";
    s->has_sender = 1;
    if (!refusal) {
        reply(s, "250 2.1.0 ok");
        return;
    }
    log_refusal(s, "sender", (struct bytes){0}, refusal);
    reset(s);
    reply(s, refusal);
}

static char const *
refusal_of(enum policy_verdict verdict)
{
    switch (verdict) {
    case POLICY_TAKE:
        return NULL;
    case POLICY_RELAY:
        return "550 5.7.1 that domain is not one of mine";
    case POLICY_UNKNOWN:
        return "550 5.1.1 there is no such mailbox";
    default:
        return "450 4.3.0 the mailbox cannot be looked up now";
    }
}

static void
do_rcpt(struct session *s, struct bytes arg)
{
    struct params params;
    stralloc *address = &s->scratch;
    char const *relay = s->policy->relayclient;

    if (!s->has_sender) {
        reply(s, "503 5.5.1 MAIL first");
        return;
    }
    if (!take_word(&arg, "TO:")) {
        reply(s, "501 5.5.4 RCPT TO:<address>");
        return;
    }
    if (!take_path(s, &arg, ADDR_LOCAL, address, "501 5.1.3 malformed recipient"))
        return;
    char const *refusal = params_scan(arg, PARAMS_RCPT, &params);
    size_t given = address->len;
    if (!stralloc_cats(address, relay ? relay : "")) {
        out_of_memory(s);
        return;
    }
    if (!refusal && s->policy->maxrcpt && s->count >= s->policy->maxrcpt)
        refusal = "452 4.5.3 too many recipients";
    if (!refusal && !envelope_address(address->s, address->len))
        refusal = "550 5.1.3 this server cannot say that address";
    if (!refusal)
        refusal = refusal_of(policy_recipient(s->policy, address->s, address->len));
    if (refusal) {
        log_refusal(s, "recipient", (struct bytes){address->s, address->len}, refusal);
        reply(s, refusal);
        return;
    }
    if (!envelope_put(&s->recipients, "to", address->s, address->len) ||
        (!s->count && !stralloc_copyb(&s->only, address->s, given))) {
        out_of_memory(s);
        return;
    }
    s->count++;
    reply(s, "250 2.1.5 ok");
}

/* ---- the message ---- */

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
        out_of_memory(s);
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
    reply(s, text);
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

static void
do_data(struct session *s, struct bytes arg)
{
    char const *refusal;

    if (!s->count) {
        refuse_data(s, s->has_sender ? "554 5.5.1 no valid recipient" : "503 5.5.1 MAIL first");
        return;
    }
    data_init(&s->data, s->policy->databytes, s->policy->maxline, s->policy->maxhops);
    if (!envelope(s, &s->scratch)) {
        out_of_memory(s);
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
    says(s, "354 go ahead, end with <CRLF>.<CRLF>\r\n");
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
    reset(s);
    reply(s, text);
    /* Where lines end is in dispute with this client, or with one that speaks through it: no word of it is safe now. */
    if (s->data.wrong & DATA_BARE)
        session_hangup(s, NULL, "bare");
}

/* Returns how many bytes belonged to the message. */
static size_t
message(struct session *s, char *bytes, size_t len)
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

/* ---- the other commands ---- */

static void
do_rset(struct session *s, struct bytes arg)
{
    reset(s);
    reply(s, "250 2.0.0 ok");
}

static void
do_noop(struct session *s, struct bytes arg)
{
    reply(s, "250 2.0.0 ok");
}

static void
do_vrfy(struct session *s, struct bytes arg)
{
    reply(s, "252 2.0.0 send some mail, I will try to deliver it");
}

static void
do_help(struct session *s, struct bytes arg)
{
    reply(s, "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, as in RFC 5321");
}

static void
do_quit(struct session *s, struct bytes arg)
{
    session_hangup(s, "221 2.0.0 goodbye", NULL);
}

static void
do_other(struct session *s, struct bytes arg)
{
    reply(s, "502 5.5.1 that command is not offered here");
}

/* A web browser was sent here to speak to us through its user: the rest of its words shall not be heard. */
static void
do_http(struct session *s, struct bytes arg)
{
    session_hangup(s, "554 5.5.1 this is SMTP", "http");
}

enum argument { NO_ARG, ANY_ARG, SOME_ARG };

static struct {
    char const *verb;
    enum argument argument;
    void (*obey)(struct session *, struct bytes arg);
} const verbs[] = {
    {"EHLO", ANY_ARG, do_ehlo},  {"HELO", ANY_ARG, do_helo},    {"MAIL", SOME_ARG, do_mail},
    {"RCPT", SOME_ARG, do_rcpt}, {"DATA", NO_ARG, do_data},     {"RSET", NO_ARG, do_rset},
    {"NOOP", ANY_ARG, do_noop},  {"VRFY", SOME_ARG, do_vrfy},   {"HELP", ANY_ARG, do_help},
    {"QUIT", NO_ARG, do_quit},   {"EXPN", ANY_ARG, do_other},   {"SEND", ANY_ARG, do_other},
    {"SOML", ANY_ARG, do_other}, {"SAML", ANY_ARG, do_other},   {"TURN", ANY_ARG, do_other},
    {"GET", ANY_ARG, do_http},   {"POST", ANY_ARG, do_http},    {"PUT", ANY_ARG, do_http},
    {"HEAD", ANY_ARG, do_http},  {"CONNECT", ANY_ARG, do_http}, {"OPTIONS", ANY_ARG, do_http},
};

static int
has_controls(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.s[i] < 32 || line.s[i] == 127)
            return 1;
    return 0;
}

static void
unrecognised(struct session *s, int after_data, char const *text)
{
    reply(s, text);
    if (after_data)
        session_hangup(s, "421 4.5.0 this looks like the message whose DATA I refused", "early");
}

/* One line without its CR LF. */
static void
command(struct session *s, struct bytes line)
{
    char const *blank = memchr(line.s, ' ', line.len);
    struct bytes verb = {line.s, blank ? (size_t)(blank - line.s) : line.len};
    struct bytes arg = {line.s + verb.len, line.len - verb.len};
    int after_data = s->last_refused;

    s->last_refused = 0;
    while (arg.len && *arg.s == ' ') {
        arg.s++;
        arg.len--;
    }
    while (arg.len && arg.s[arg.len - 1] == ' ')
        arg.len--;
    if (has_controls(line)) {
        unrecognised(s, after_data, "500 5.5.2 control characters in a command");
        return;
    }
    for (unsigned int i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strlen(verbs[i].verb) != verb.len || strncasecmp(verbs[i].verb, verb.s, verb.len) != 0)
            continue;
        if (verbs[i].argument == NO_ARG ? arg.len != 0 : verbs[i].argument == SOME_ARG && !arg.len)
            reply(s, arg.len ? "501 5.5.4 no argument here" : "501 5.5.4 an argument is wanted");
        else
            verbs[i].obey(s, arg);
        return;
    }
    unrecognised(s, after_data, "500 5.5.1 unknown command");
}

/* Where the first CR LF begins; len if there is none. An LF alone ends nothing. */
static size_t
find_end(char const *s, size_t len)
{
    for (size_t at = 0; at < len;) {
        char const *lf = memchr(s + at, '\n', len - at);
        if (!lf)
            break;
        if (lf > s && lf[-1] == '\r')
            return (size_t)(lf - s) - 1;
        at = (size_t)(lf - s) + 1;
    }
    return len;
}

/* Returns the bytes used up, 0 if the command is not complete. */
static size_t
command_line(struct session *s, char const *bytes, size_t len)
{
    size_t end = find_end(bytes, len);

    if (end == len) {
        if (s->state == SESSION_COMMAND && len < SESSION_LINE_MAX)
            return 0;
        s->state = SESSION_TOO_LONG; /* the last byte may be the CR of the end */
        return len - (bytes[len - 1] == '\r');
    }
    s->more = end + 2 < len;
    if (s->state == SESSION_TOO_LONG || end + 2 > SESSION_LINE_MAX) {
        int after_data = s->last_refused;
        s->last_refused = 0;
        s->state = SESSION_COMMAND;
        unrecognised(s, after_data, "500 5.5.2 the line is too long");
    } else
        command(s, (struct bytes){bytes, end});
    return end + 2;
}

size_t
session_feed(struct session *s, char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && s->state != SESSION_OVER) {
        size_t n = s->state == SESSION_DATA ? message(s, bytes + at, len - at) : command_line(s, bytes + at, len - at);
        if (!n)
            break;
        at += n;
    }
    return s->state == SESSION_OVER ? len : at;
}

void
session_start(struct session *s, struct policy const *policy, struct peer const *peer,
              struct session_queue const *queue)
{
    *s = (struct session){.policy = policy, .peer = peer, .queue = queue};
    says(s, "220 ");
    says(s, policy->greeting.s);
    says(s, " ESMTP\r\n");
}

void
session_free(struct session *s)
{
    if (s->state == SESSION_DATA && !s->dropped)
        s->queue->drop(s->queue->to);
    stralloc_free(&s->out);
    stralloc_free(&s->helo);
    stralloc_free(&s->sender);
    stralloc_free(&s->recipients);
    stralloc_free(&s->only);
    stralloc_free(&s->scratch);
}
