#include "smtpd/session.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/ip.h"
#include "smtpd/session_inner.h"

/* ---- replies ---- */

void
session_nomemory(struct session *s)
{
    session_hangup(s, NULL, "memory");
}

void
session_say(struct session *s, char const *text, size_t len)
{
    if (!stralloc_catb(&s->out, text, len))
        session_nomemory(s);
}

void
session_says(struct session *s, char const *text)
{
    session_say(s, text, strlen(text));
}

void
session_reply(struct session *s, char const *text)
{
    session_says(s, text);
    session_says(s, "\r\n");
    if (*text < '4' || s->state == SESSION_OVER)
        return;
    s->errors++;
    session_tarpit(s, s->errors);
    if (!strncmp(text, "421", 3) || !strncmp(text, "521", 3)) /* a program of the operator's had enough of it */
        session_hangup(s, NULL, "check");
    else if (s->policy->maxerrors && s->errors >= s->policy->maxerrors)
        session_hangup(s, "421 4.7.0 too many errors, goodbye", "errors");
}

void
session_tarpit(struct session *s, uint32_t count)
{
    if (s->policy->tarpitcount && count > s->policy->tarpitcount)
        s->slow++;
}

void
session_hangup(struct session *s, char const *text, char const *reason)
{
    if (s->state == SESSION_OVER)
        return;
    session_drop(s);
    s->state = SESSION_OVER;
    s->reason = reason;
    if (text) {
        session_says(s, text);
        session_says(s, "\r\n");
    }
}

/* ---- the log ---- */

void
session_log_line(struct session *s, struct log *l, char const *event)
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

void
session_log_reply(struct log *l, char const *text)
{
    char word[200];
    size_t len = strnlen(text, sizeof word);

    for (size_t i = 0; i < len; i++)
        word[i] = text[i] == ' ' ? '_' : text[i];
    log_bytes(l, "reply", word, len);
}

void
session_log_refusal(struct session *s, char const *event, struct bytes to, char const *text)
{
    struct log l;

    session_log_line(s, &l, event);
    if (to.len)
        log_bytes(&l, "to", to.s, to.len);
    session_log_reply(&l, text);
    s->queue->log(&l);
}

void
session_log_end(struct session *s)
{
    struct log l;

    if (!s->reason)
        return;
    session_log_line(s, &l, "hangup");
    log_str(&l, "reason", s->reason);
    log_uint(&l, "messages", s->messages);
    log_uint(&l, "errors", s->errors);
    s->queue->log(&l);
}

/* ---- the transaction ---- */

void
session_drop(struct session *s)
{
    if (s->open)
        s->queue->drop(s->queue->to);
    s->open = 0;
    session_check_drop(s);
}

void
session_reset(struct session *s)
{
    session_drop(s);
    s->has_sender = s->chunked = 0;
    s->sender.len = s->records.len = s->recipients.len = s->only.len = 0;
    s->count = s->excess = 0;
    s->params = (struct params){0};
    s->headers.len = s->lasting;
}

/* ---- the other commands ---- */

static void
do_rset(struct session *s, struct bytes arg)
{
    session_reset(s);
    session_reply(s, "250 2.0.0 ok");
}

static void
do_noop(struct session *s, struct bytes arg)
{
    session_reply(s, "250 2.0.0 ok");
}

static void
do_quit(struct session *s, struct bytes arg)
{
    session_hangup(s, "221 2.0.0 goodbye", NULL);
}

static void
do_other(struct session *s, struct bytes arg)
{
    session_reply(s, "502 5.5.1 that command is not offered here");
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
    /* clang-format off */
    {"EHLO", ANY_ARG, session_ehlo},
    {"HELO", ANY_ARG, session_helo},
    {"LHLO", ANY_ARG, session_lhlo},
    {"MAIL", SOME_ARG, session_mail},
    {"RCPT", SOME_ARG, session_rcpt},
    {"DATA", ANY_ARG, session_data},
    {"BDAT", ANY_ARG, session_bdat},
    {"AUTH", SOME_ARG, session_auth},
    {"RSET", NO_ARG, do_rset},
    {"NOOP", ANY_ARG, do_noop},
    {"STARTTLS", NO_ARG, session_starttls},
    {"VRFY", SOME_ARG, session_vrfy},
    {"HELP", ANY_ARG, session_help},
    {"XCLIENT", SOME_ARG, session_xclient},
    {"QUIT", NO_ARG, do_quit},
    {"EXPN", ANY_ARG, session_expn},
    {"SEND", ANY_ARG, do_other},
    {"SOML", ANY_ARG, do_other},
    {"SAML", ANY_ARG, do_other},
    {"TURN", ANY_ARG, do_other},
    {"GET", ANY_ARG, do_http},
    {"POST", ANY_ARG, do_http},
    {"PUT", ANY_ARG, do_http},
    {"HEAD", ANY_ARG, do_http},
    {"CONNECT", ANY_ARG, do_http},
    {"OPTIONS", ANY_ARG, do_http},
    /* clang-format on */
};

/* What may be said where TLS is required and not there yet; and BDAT, which is refused in the right way: with its bytes. */
static int
in_clear(void (*obey)(struct session *, struct bytes))
{
    return obey == session_ehlo || obey == session_lhlo || obey == session_starttls || obey == do_noop ||
           obey == do_quit || obey == do_http || obey == session_bdat;
}

static int
has_controls(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.s[i] < 32 || line.s[i] == 127)
            return 1;
    return 0;
}

/* Bytes may lie behind it that are a message to the client: a BDAT that cannot be read says not how many. */
static int
is_bdat(struct bytes line)
{
    return line.len >= 4 && !strncasecmp(line.s, "BDAT", 4);
}

static void
unrecognised(struct session *s, int after_data, char const *text)
{
    session_reply(s, text);
    if (after_data)
        session_hangup(s, "421 4.5.0 this looks like the message that I refused", "early");
}

/* One line without its CR LF. */
static void
command(struct session *s, struct bytes line)
{
    char const *blank = memchr(line.s, ' ', line.len);
    struct bytes verb = {line.s, blank ? (size_t)(blank - line.s) : line.len};
    struct bytes arg = {line.s + verb.len, line.len - verb.len};
    int after_data = s->last_refused || is_bdat(line);

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
        if (!session_inclear(s) && !in_clear(verbs[i].obey)) {
            session_reply(s, "530 5.7.0 STARTTLS first");
            s->last_refused = verbs[i].obey == session_data;
        } else if (verbs[i].argument == NO_ARG ? arg.len != 0 : verbs[i].argument == SOME_ARG && !arg.len)
            session_reply(s, arg.len ? "501 5.5.4 no argument here" : "501 5.5.4 an argument is wanted");
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

static int
is_auth(struct session const *s, char const *bytes, size_t len)
{
    return s->state == SESSION_AUTH || (s->state == SESSION_COMMAND && len >= 5 && !strncasecmp(bytes, "AUTH ", 5));
}

/* Returns the bytes used up, 0 if the command is not complete. */
static size_t
command_line(struct session *s, char const *bytes, size_t len)
{
    size_t end = find_end(bytes, len);
    size_t most = is_auth(s, bytes, len) ? SESSION_AUTH_MAX : SESSION_LINE_MAX;

    if (end == len) {
        if (s->state != SESSION_TOO_LONG && len < most)
            return 0;
        s->auth.overlong |= most == SESSION_AUTH_MAX;
        session_auth_forget(s);
        if (s->state == SESSION_COMMAND)
            s->last_refused |= is_bdat((struct bytes){bytes, len});
        s->state = SESSION_TOO_LONG; /* the last byte may be the CR of the end */
        return len - (bytes[len - 1] == '\r');
    }
    s->more = end + 2 < len;
    if (s->state == SESSION_TOO_LONG || end + 2 > most) {
        char const *text = s->auth.overlong || most == SESSION_AUTH_MAX ? "500 5.5.6 the line is too long"
                                                                        : "500 5.5.2 the line is too long";
        session_auth_forget(s);
        int after_data = s->last_refused || (s->state == SESSION_COMMAND && is_bdat((struct bytes){bytes, end}));
        s->last_refused = 0;
        s->state = SESSION_COMMAND;
        s->auth.overlong = 0;
        unrecognised(s, after_data, text);
    } else if (s->state == SESSION_AUTH)
        session_auth_response(s, (struct bytes){bytes, end});
    else
        command(s, (struct bytes){bytes, end});
    return end + 2;
}

static size_t
feed(struct session *s, char *bytes, size_t len)
{
    switch (s->state) {
    case SESSION_DATA:
        return session_message(s, bytes, len);
    case SESSION_CHUNK:
        return session_chunk(s, bytes, len);
    default:
        return command_line(s, bytes, len);
    }
}

size_t
session_feed(struct session *s, char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && s->state < SESSION_STARTTLS) {
        size_t n = feed(s, bytes + at, len - at);
        if (!n)
            break;
        if (s->secret)
            explicit_bzero(bytes + at, n);
        s->secret = 0;
        at += n;
    }
    return s->state >= SESSION_STARTTLS ? len : at;
}

/* 1, or 0 if the client was turned away: at this place there are only 554 and 421 (RFC 5321 section 4.3.2). */
static int
connected(struct session *s)
{
    int yes;
    char const *refusal = session_check(s, HOOK_CONNECT, (struct bytes){0}, &yes);

    if (!refusal)
        return 1;
    session_log_refusal(s, "connect", (struct bytes){0}, refusal);
    session_says(s, *refusal == '5' ? "554" : "421");
    session_says(s, refusal + 3);
    session_hangup(s, "", "check");
    return 0;
}

/* A client that was spoken for may not speak for another. */
static int
may_xclient(struct policy const *policy, struct peer const *peer)
{
    struct ip ip;

    return !peer->spoken_for && policy->xclientfrom.len && ip_scan(peer->ip, strlen(peer->ip), &ip) &&
           ip_inlist(&ip, policy->xclientfrom.s, policy->xclientfrom.len);
}

void
session_start(struct session *s, struct policy const *policy, struct peer const *peer,
              struct session_queue const *queue)
{
    *s = (struct session){.policy = policy, .peer = peer, .queue = queue, .kind = policy->kind, .tls = peer->tls};
    s->may_xclient = may_xclient(policy, peer);
    if (peer->login && !stralloc_cats(&s->login, peer->login)) {
        session_nomemory(s);
        return;
    }
    if (!connected(s))
        return;
    session_says(s, "220 ");
    session_says(s, policy->greeting.s);
    session_says(s, s->kind == KIND_LMTP ? " LMTP\r\n" : " ESMTP\r\n");
}

void
session_resume(struct session *s, struct starttls_carried const *c)
{
    if (s->state != SESSION_OVER) /* it was not turned away now */
        s->out.len = 0;
    s->errors = c->errors;
    s->messages = c->messages;
    s->bytes = c->bytes;
    s->auth.failures = c->failures;
}

int
session_polite(struct session const *s)
{
    return s->state == SESSION_OVER && !s->reason && !s->errors && !s->login.len && !s->auth.count &&
           !s->auth.failures && !s->become;
}

void
session_free(struct session *s)
{
    session_drop(s);
    session_auth_forget(s);
    stralloc_free(&s->auth.login);
    stralloc_free(&s->out);
    stralloc_free(&s->helo);
    stralloc_free(&s->login);
    stralloc_free(&s->environment);
    stralloc_free(&s->sender);
    stralloc_free(&s->records);
    stralloc_free(&s->recipients);
    stralloc_free(&s->only);
    stralloc_free(&s->scratch);
    stralloc_free(&s->question);
    stralloc_free(&s->headers);
    hook_answer_free(&s->answer);
    tidy_free(&s->tidy);
}
