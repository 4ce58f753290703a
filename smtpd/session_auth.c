/* AUTH (RFC 4954). The session speaks the dialogue and knows no password and no mechanism's sense: what the client says
 * is passed on, decoded, and what pneu-authd answers is obeyed. */

#include <string.h>
#include <strings.h>

#include "lib/base64.h"
#include "lib/sasl.h"
#include "smtpd/session_inner.h"

/* ---- which mechanisms ---- */

#define SAY_PASSWORD (1u << SASL_PLAIN | 1u << SASL_LOGIN)

/* Those that could be used in this session if it were under TLS. */
static unsigned int
possible(struct session const *s)
{
    return s->policy->auth && s->queue->login ? s->policy->authmech : 0;
}

static unsigned int
offered(struct session const *s)
{
    unsigned int all = possible(s);

    if (s->tls.protocol || !s->policy->authneedtls)
        return all;
    return s->policy->authneedtls == 1 ? 0 : all & ~SAY_PASSWORD;
}

int
session_auth_offer(struct session *s, stralloc *line)
{
    /* The best first: there are clients that take the first they know. */
    static enum sasl const order[] = {SASL_SCRAM_SHA_256, SASL_CRAM_MD5, SASL_PLAIN, SASL_LOGIN};
    unsigned int methods = offered(s);

    for (unsigned int i = 0; i < sizeof order / sizeof *order; i++)
        if (methods & 1u << order[i] && (!stralloc_append(line, ' ') || !stralloc_cats(line, sasl_names[order[i]])))
            return 0;
    return methods != 0;
}

/* ---- the end of an exchange ---- */

void
session_auth_forget(struct session *s)
{
    if (s->scratch.s)
        explicit_bzero(s->scratch.s, s->scratch.a);
    for (unsigned int i = 0; i < AUTH_SAID_MAX; i++) {
        if (s->auth.said[i].s)
            explicit_bzero(s->auth.said[i].s, s->auth.said[i].a);
        stralloc_free(&s->auth.said[i]);
    }
    s->auth.count = 0;
    s->auth.proven = 0;
    if (s->state == SESSION_AUTH)
        s->state = SESSION_COMMAND;
}

static void
end(struct session *s, char const *text)
{
    session_auth_forget(s);
    session_reply(s, text);
}

/* Who it wanted to be, for the log, where pneu-authd does not know. */
static struct bytes
wanted(struct session const *s, struct auth_answer const *a)
{
    struct bytes authzid, login, password;
    stralloc const *first = s->auth.said;

    if (a->login.len)
        return a->login;
    if (s->auth.which == SASL_PLAIN && s->auth.count &&
        sasl_plain((struct bytes){first->s, first->len}, &authzid, &login, &password))
        return login;
    if (s->auth.which == SASL_LOGIN && s->auth.count)
        return (struct bytes){first->s, first->len};
    return (struct bytes){0};
}

static void
log_attempt(struct session *s, char const *event, struct auth_answer const *a, char const *key, struct bytes value)
{
    struct bytes login = wanted(s, a);
    struct log l;

    session_log_line(s, &l, event);
    log_bytes(&l, "login", login.s ? login.s : "", login.len);
    log_str(&l, "mechanism", sasl_names[s->auth.which]);
    log_bytes(&l, key, value.s ? value.s : "", value.len);
    if (s->tls.protocol)
        log_str(&l, "tls", s->tls.protocol);
    s->queue->log(&l);
}

static void
welcome(struct session *s)
{
    s->login.len = 0;
    if (!stralloc_catb(&s->login, s->auth.login.s, s->auth.login.len)) {
        session_nomemory(s);
        return;
    }
    end(s, "235 2.7.0 welcome");
}

static void
refuse(struct session *s, struct auth_answer const *a, char const *text)
{
    uint32_t most = s->policy->authfailures;

    log_attempt(s, "auth-failed", a, "reason", a->reason);
    s->auth.failures++;
    end(s, text);
    if (most && s->auth.failures >= most)
        session_hangup(s, "421 4.7.0 too many failed logins, goodbye", "auth");
}

/* ---- the dialogue ---- */

static void
challenge(struct session *s, struct bytes data)
{
    stralloc *text = &s->scratch;
    size_t len = BASE64_ENCODED(data.len);

    text->len = 0;
    if (!stralloc_ready(text, len + 1)) {
        session_nomemory(s);
        return;
    }
    s->state = SESSION_AUTH;
    session_says(s, "334 ");
    session_say(s, text->s, base64_encode(text->s, data.s, data.len));
    session_says(s, "\r\n");
}

static int
add(struct session *s, struct bytes said)
{
    stralloc *to = s->auth.said + s->auth.count;

    if (s->auth.count == AUTH_SAID_MAX || !stralloc_copyb(to, said.len ? said.s : "", said.len)) {
        session_nomemory(s);
        return 0;
    }
    s->auth.count++;
    return 1;
}

/* How long a refusal waits: more with each, so that nobody tries many. */
static uint32_t
delay(struct session const *s)
{
    uint32_t seconds = s->policy->authdelay;

    for (uint32_t i = 0; i < s->auth.failures && seconds < SESSION_DELAY_MAX; i++)
        seconds *= 2;
    return seconds < SESSION_DELAY_MAX ? seconds : SESSION_DELAY_MAX;
}

static void
yes(struct session *s, struct auth_answer const *a)
{
    if (!stralloc_copyb(&s->auth.login, a->login.s, a->login.len)) {
        session_nomemory(s);
        return;
    }
    log_attempt(s, "auth", a, "name", a->name);
    if (!a->data.len) {
        welcome(s);
        return;
    }
    /* RFC 4954 has no success with data: it goes ahead, and an empty answer comes back. */
    s->auth.proven = 1;
    challenge(s, a->data);
}

static void
ask(struct session *s)
{
    struct policy const *p = s->policy;
    char const *name = sasl_names[s->auth.which], *tls = s->tls.protocol ? s->tls.protocol : "";
    struct auth_question q = {
        .mechanism = {name, strlen(name)},
        .service = {"smtp", 4},
        .client = {s->peer->ip, strlen(s->peer->ip)},
        .listener = {p->listener ? p->listener : "", p->listener ? strlen(p->listener) : 0},
        .tls = {tls, strlen(tls)},
        .count = s->auth.count,
    };
    struct auth_answer a = {.class = 0};

    for (size_t i = 0; i < q.count; i++)
        q.said[i] = (struct bytes){s->auth.said[i].s, s->auth.said[i].len};
    if (!s->queue->login(s->queue->to, &q, &a, delay(s)))
        a = (struct auth_answer){.class = 'Z', .reason = {"unreachable", 11}};
    else if (a.class == 'K' && !sasl_login(a.login))
        a = (struct auth_answer){.class = 'Z', .reason = {"nameless", 8}};
    if (a.class == 'K')
        yes(s, &a);
    else if (a.class == 'C' && s->auth.count + 1 < AUTH_SAID_MAX) {
        /* CRAM-MD5: the server speaks first. */
        if ((s->auth.count || add(s, (struct bytes){0})) && add(s, a.data))
            challenge(s, a.data);
    } else if (a.class == 'D')
        refuse(s, &a, "535 5.7.8 login or password is wrong");
    else if (a.class == 'M')
        refuse(s, &a, "501 5.5.2 that is no message of this mechanism");
    else {
        log_attempt(s, "auth-unknown", &a, "reason", a.reason);
        end(s, "454 4.7.0 logins cannot be looked up now");
    }
}

/* The client has said something: go on with it. */
static void
go_on(struct session *s, struct bytes said)
{
    static struct bytes const prompt = {"Password:", 9};

    if (s->auth.proven && said.len)
        end(s, "501 5.7.0 there was nothing more to say");
    else if (s->auth.proven)
        welcome(s);
    else if (!add(s, said))
        return;
    else if (s->auth.which == SASL_LOGIN && s->auth.count == 1) {
        if (add(s, prompt))
            challenge(s, prompt);
    } else
        ask(s);
}

static void
response(struct session *s, struct bytes text)
{
    stralloc *bytes = &s->scratch;

    bytes->len = 0;
    if (!stralloc_ready(bytes, BASE64_DECODED(text.len) + 1)) {
        session_nomemory(s);
        return;
    }
    ssize_t n = base64_decode(bytes->s, text.s, text.len);
    if (n == -1)
        end(s, "501 5.5.2 that is not Base64");
    else
        go_on(s, (struct bytes){bytes->s, (size_t)n});
}

void
session_auth_response(struct session *s, struct bytes line)
{
    s->secret = 1;
    if (line.len == 1 && *line.s == '*')
        end(s, "501 5.7.0 cancelled");
    else
        response(s, line);
}

/* ---- the command ---- */

static char const *
refusal_of_command(struct session *s)
{
    if (!possible(s))
        return "502 5.5.1 AUTH is not offered here";
    if (!s->helo.len || !s->esmtp)
        return "503 5.5.1 EHLO first";
    if (s->login.len)
        return "503 5.5.1 you have logged in already";
    return s->has_sender ? "503 5.5.1 not within a transaction" : NULL;
}

static char const *
refusal_of_mechanism(struct session *s, enum sasl which)
{
    if (which == SASL_count || !(possible(s) & 1u << which))
        return "504 5.5.4 that mechanism is not offered here";
    return offered(s) & 1u << which ? NULL : "538 5.7.11 not without encryption: STARTTLS first";
}

static void
begin(struct session *s, struct bytes initial)
{
    static struct bytes const prompt = {"Username:", 9};
    int speaks_first = s->auth.which == SASL_CRAM_MD5;

    s->state = SESSION_AUTH;
    if (speaks_first && initial.len)
        end(s, "501 5.7.0 the server speaks first in this mechanism");
    else if (speaks_first)
        ask(s);
    else if (initial.len == 1 && *initial.s == '=') /* an empty response, where none would mean: not yet */
        go_on(s, (struct bytes){0});
    else if (initial.len)
        response(s, initial);
    else
        challenge(s, s->auth.which == SASL_LOGIN ? prompt : (struct bytes){0});
}

void
session_auth(struct session *s, struct bytes arg)
{
    char const *blank = memchr(arg.s, ' ', arg.len);
    struct bytes const name = {arg.s, blank ? (size_t)(blank - arg.s) : arg.len};
    struct bytes initial = {arg.s + name.len, arg.len - name.len};
    char const *refusal = refusal_of_command(s);

    while (initial.len && *initial.s == ' ') {
        initial.s++;
        initial.len--;
    }
    s->secret = 1;
    s->auth.which = sasl_named(name.s, name.len);
    if (!refusal)
        refusal = refusal_of_mechanism(s, s->auth.which);
    if (refusal)
        session_reply(s, refusal);
    else
        begin(s, initial);
}
