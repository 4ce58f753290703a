#include <string.h>

#include <skalibs/types.h>

#include "lib/sasl.h"
#include "queue/envelope.h"
#include "smtpd/session_inner.h"

#define HEADERS_MAX 32768 /* bytes of fields that programs may add to one message */

static char const unreachable[] = "451 4.3.0 the checks of this server cannot be made";

/* ---- the question ---- */

static int
put(stralloc *to, char const *name, char const *value)
{
    return !value || !*value || envelope_put(to, name, value, strlen(value));
}

static int
put_bytes(stralloc *to, char const *name, char const *s, size_t len)
{
    return !len || envelope_put(to, name, s, len);
}

/* The same for all questions about one message. */
static int
put_instance(struct session *s, stralloc *to)
{
    char word[64 + UINT32_FMT];
    size_t len = strnlen(s->queue->checks->instance, 64);

    memcpy(word, s->queue->checks->instance, len);
    word[len++] = '.';
    return envelope_put(to, "instance", word, len + uint32_fmt(word + len, s->transactions));
}

/* What is known of the client and the message, into s->question. */
static int
question(struct session *s, enum hook_phase phase, struct bytes recipient)
{
    stralloc *to = &s->question;
    char protocol[SESSION_WITH_SIZE];
    uint64_t size = s->params.size;

    to->len = 0;
    return put(to, "phase", hook_phases[phase]) && put(to, "server", s->policy->listener) &&
           put(to, "client", s->peer->ip) && put(to, "host", s->peer->host) && put(to, "rdns", s->peer->rdns) &&
           put_bytes(to, "helo", s->helo.s, s->helo.len) &&
           (phase == HOOK_CONNECT || put(to, "protocol", session_with(s, protocol))) &&
           put_bytes(to, "login", s->login.s, s->login.len) &&
           put(to, "mechanism", s->login.len && s->auth.login.len ? sasl_names[s->auth.which] : NULL) &&
           put(to, "tls", s->tls.protocol) && put(to, "cipher", s->tls.cipher) &&
           (!s->has_sender || envelope_put(to, "sender", s->sender.s, s->sender.len)) &&
           put_bytes(to, "recipient", recipient.s, recipient.len) &&
           (!s->has_sender || envelope_putuint(to, "recipients", s->count)) &&
           (!size || envelope_putuint(to, "size", size)) && put_instance(s, to) &&
           (phase != HOOK_DATA || envelope_putuint(to, "message", 1));
}

/* ---- the answer ---- */

static int
keep_headers(struct session *s)
{
    stralloc const *more = &s->answer.headers;

    if (!more->len || s->headers.len + more->len > HEADERS_MAX ||
        (s->headers.len && memmem(s->headers.s, s->headers.len, more->s, more->len)))
        return 1;
    return stralloc_catb(&s->headers, more->s, more->len);
}

/* Returns NULL, or the reply. */
static char const *
judge(struct session *s, int *yes)
{
    *yes = s->answer.verdict == HOOK_YES;
    if (s->answer.verdict == HOOK_GO || s->answer.verdict == HOOK_YES)
        return keep_headers(s) ? NULL : unreachable;
    s->question.len = 0;
    if (!hook_reply(&s->question, &s->answer) || !stralloc_0(&s->question))
        return unreachable;
    return s->question.s;
}

char const *
session_check(struct session *s, enum hook_phase phase, struct bytes recipient, int *yes)
{
    struct session_checks const *checks = s->queue->checks;

    *yes = 0;
    if (!(s->policy->guard.checks & 1u << phase))
        return NULL;
    if (!checks || !question(s, phase, recipient) ||
        !checks->ask(checks->to, (struct bytes){s->question.s, s->question.len}, &s->answer))
        return unreachable;
    char const *refusal = judge(s, yes);
    if (phase == HOOK_CONNECT || phase == HOOK_HELO)
        s->lasting = s->headers.len;
    return refusal;
}

/* ---- the message ---- */

char const *
session_check_begin(struct session *s)
{
    struct session_checks const *checks = s->queue->checks;
    struct bytes only = {s->only.s, s->count == 1 ? s->only.len : 0};

    s->checking = 0;
    if (!(s->policy->guard.checks & 1u << HOOK_DATA))
        return NULL;
    if (!checks || !question(s, HOOK_DATA, only) ||
        !checks->begin(checks->to, (struct bytes){s->question.s, s->question.len}))
        return unreachable;
    s->checking = 1;
    return NULL;
}

char const *
session_check_data(struct session *s, char const *bytes, size_t len)
{
    struct session_checks const *checks = s->queue->checks;

    if (!s->checking || checks->data(checks->to, bytes, len))
        return NULL;
    s->checking = 0;
    return unreachable;
}

char const *
session_check_end(struct session *s)
{
    struct session_checks const *checks = s->queue->checks;
    int yes;

    if (!s->checking)
        return NULL;
    s->checking = 0;
    return checks->end(checks->to, &s->answer) ? judge(s, &yes) : unreachable;
}

void
session_check_drop(struct session *s)
{
    if (s->checking)
        s->queue->checks->drop(s->queue->checks->to);
    s->checking = 0;
}
