#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/utf8.h"
#include "lib/xtext.h"
#include "queue/envelope.h"
#include "smtpd/session_inner.h"

#define SESSION_EXCESS_MAX 1000 /* RCPT commands beyond maxrcpt before we hang up */
#define RECIPIENT_BYTES 256 /* of its records, on average: a thousand recipients of 1,500 bytes are too much to hold */

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
    if (addr_path(arg, how | ADDR_BARE | ADDR_UTF8, address)) {
        if (utf8_valid(address->s, address->len))
            return 1;
        errno = EILSEQ;
    }
    if (errno == ENOMEM)
        session_nomemory(s);
    else
        session_reply(s, errno == EMSGSIZE ? "501 5.1.0 the address is too long" : malformed);
    return 0;
}

/* What is wrong with the sender and the parameters; NULL: nothing. */
static char const *
refuse_sender(struct session *s, struct bytes arg)
{
    struct policy const *p = s->policy;
    unsigned int how = PARAMS_MAIL | (p->authmech ? PARAMS_AUTH : 0);
    char const *refusal = params_scan(arg, how, &s->params);
    int yes;

    if (refusal)
        return refusal;
    if (!s->params.smtputf8 && utf8_has8bit(s->sender.s, s->sender.len))
        return "550 5.6.7 an address with bytes from 0x80 wants SMTPUTF8";
    if (p->databytes && s->params.size > p->databytes)
        return "552 5.3.4 the message is too large";
    if (!policy_submit(p, &s->login))
        return "550 5.7.1 this login may not send mail";
    refusal = session_submit_sender(s);
    if (refusal)
        return refusal;
    refusal = session_check(s, HOOK_MAIL, (struct bytes){0}, &yes);
    if (refusal || yes)
        return refusal;
    return guard_address(&p->guard.badmailfrom, s->sender.s, s->sender.len) ? "553 5.7.1 this sender is not welcome"
                                                                            : NULL;
}

/* 1 if this connection has had its share; it is over then, and a client with more to send comes again. */
static int
had_enough(struct session *s)
{
    struct policy const *p = s->policy;

    if (p->maxmessages && s->messages >= p->maxmessages)
        session_hangup(s, "421 4.7.0 enough messages for one connection", "messages");
    else if (p->sessionbytes && s->bytes &&
             (s->bytes >= p->sessionbytes || s->params.size > p->sessionbytes - s->bytes))
        session_hangup(s, "421 4.7.0 enough bytes for one connection", "sessionbytes");
    return s->state == SESSION_OVER;
}

void
session_mail(struct session *s, struct bytes arg)
{
    char const *refusal = NULL;

    if (!s->helo.len)
        refusal = s->kind == KIND_LMTP ? "503 5.5.1 LHLO first" : "503 5.5.1 EHLO first";
    else if (s->has_sender)
        refusal = "503 5.5.1 there is a sender already";
    else if (s->policy->authrequired && !s->login.len)
        refusal = "530 5.7.0 log in first";
    else if (!take_word(&arg, "FROM:"))
        refusal = "501 5.5.4 MAIL FROM:<address>";
    if (refusal) {
        session_reply(s, refusal);
        return;
    }
    if (had_enough(s) || !take_path(s, &arg, ADDR_NULL | ADDR_LOCAL, &s->sender, "501 5.1.7 malformed sender"))
        return;
    s->has_sender = 1;
    s->transactions++;
    refusal = refuse_sender(s, arg);
    if (!refusal && had_enough(s))
        return;
    if (refusal) {
        session_log_refusal(s, "sender", (struct bytes){0}, refusal);
        session_reset(s);
    } else if (!params_put(&s->records, &s->params) ||
               (session_submitted(s) && !submit_masquerade(&s->policy->submit, &s->sender))) {
        session_nomemory(s);
        return;
    }
    s->params.envid = (struct bytes){0};
    session_reply(s, refusal ? refusal : "250 2.1.0 ok");
}

char const *
session_refusal(enum policy_verdict verdict)
{
    switch (verdict) {
    case POLICY_TAKE:
        return NULL;
    case POLICY_RELAY:
        return "550 5.7.1 that domain is not one of mine";
    case POLICY_NAMELESS:
        return "450 4.7.1 your name cannot be looked up now";
    case POLICY_UNKNOWN:
        return "550 5.1.1 there is no such mailbox";
    default:
        return "450 4.3.0 the mailbox cannot be looked up now";
    }
}

/* NULL, or the reply. The address ends in $RELAYCLIENT already. */
static char const *
refuse_recipient(struct session *s, struct bytes address, struct relay_reason *why)
{
    enum policy_verdict verdict;
    char const *refusal;
    int yes;

    if (!s->params.smtputf8 && utf8_has8bit(address.s, address.len))
        return "553 5.6.7 an address with bytes from 0x80 wants SMTPUTF8";
    if (!envelope_address(address.s, address.len))
        return "550 5.1.3 this server cannot say that address";
    verdict = policy_recipient(s->policy, &s->login, address.s, address.len, why);
    if (verdict != POLICY_TAKE && verdict != POLICY_UNKNOWN) /* no program opens a way out */
        return session_refusal(verdict);
    refusal = session_check(s, HOOK_RCPT, address, &yes);
    if (refusal || yes)
        return refusal;
    if (guard_address(&s->policy->guard.badrcptto, address.s, address.len))
        return "550 5.7.1 this recipient is not welcome";
    return session_refusal(verdict);
}

/* A client with more recipients than one message may have comes again with the rest, and each of them is told so, which
 * is no error of it. One that goes on and on wants something else. */
static void
too_many(struct session *s, struct bytes address)
{
    static char const text[] = "452 4.5.3 too many recipients";

    session_log_refusal(s, "recipient", address, text);
    session_says(s, text);
    session_says(s, "\r\n");
    if (++s->excess > s->policy->maxrcpt + SESSION_EXCESS_MAX)
        session_hangup(s, "421 4.7.0 far too many recipients, goodbye", "recipients");
}

static int
is_full(struct session const *s)
{
    uint32_t max = s->policy->maxrcpt;

    return max && (s->count >= max || s->recipients.len >= (size_t)max * RECIPIENT_BYTES + ENVELOPE_VALUE_MAX);
}

static int
add_recipient(struct session *s, stralloc const *address, size_t given, struct params const *params)
{
    return envelope_put(&s->recipients, "to", address->s, address->len) && params_put(&s->recipients, params) &&
           (s->count || stralloc_copyb(&s->only, address->s, given));
}

/* The recipient under its old name, for reports (RFC 3461 section 5.2.7.3), unless the client has told it. */
static int
keep_origin(struct bytes given, struct params *params, stralloc *room)
{
    int utf8 = utf8_has8bit(given.s, given.len);

    if (params->orcpt.len || given.len > PARAMS_ORCPT_MAX / 4)
        return 1;
    if (!stralloc_cats(room, utf8 ? "utf-8;" : "rfc822;") ||
        !(utf8 ? stralloc_catb(room, given.s, given.len) : xtext_put(room, given.s, given.len)))
        return 0;
    params->orcpt = (struct bytes){room->s, room->len};
    return 1;
}

/* A recipient who has moved away is forwarded to the new address, or refused. Returns 1 if this is one: all is said then. */
static int
take_moved(struct session *s, struct bytes given, struct params *params)
{
    stralloc to = STRALLOC_ZERO, text = STRALLOC_ZERO, origin = STRALLOC_ZERO;
    int moved = session_moved(s, given, &to, &text);

    if (moved == 1 && *text.s != '2') {
        session_log_refusal(s, "recipient", given, text.s);
        session_reply(s, text.s);
    } else if (moved == 1) {
        if (keep_origin(given, params, &origin) && add_recipient(s, &to, to.len, params)) {
            s->count++;
            session_reply(s, text.s);
            session_tarpit(s, s->count);
        } else
            session_nomemory(s);
    }
    stralloc_free(&to);
    stralloc_free(&text);
    stralloc_free(&origin);
    return moved != 0;
}

void
session_rcpt(struct session *s, struct bytes arg)
{
    struct relay_reason why = {.verdict = RELAY_OWN};
    struct params params;
    stralloc *address = &s->scratch;
    char const *relay = s->policy->relayclient;
    unsigned int how = PARAMS_RCPT | (s->params.smtputf8 ? PARAMS_UTF8 : 0);

    if (!s->has_sender || s->chunked) {
        session_reply(s, s->chunked ? "503 5.5.1 the message has begun" : "503 5.5.1 MAIL first");
        return;
    }
    if (!take_word(&arg, "TO:")) {
        session_reply(s, "501 5.5.4 RCPT TO:<address>");
        return;
    }
    if (!take_path(s, &arg, ADDR_LOCAL, address, "501 5.1.3 malformed recipient"))
        return;
    char const *refusal = params_scan(arg, how, &params);
    size_t given = address->len;
    if (!stralloc_cats(address, relay ? relay : "")) {
        session_nomemory(s);
        return;
    }
    struct bytes to = {address->s, address->len};
    if (!refusal && is_full(s)) {
        too_many(s, to);
        return;
    }
    if (!refusal)
        refusal = refuse_recipient(s, to, &why);
    if ((!refusal || !strncmp(refusal, "550 5.1.1", 9)) && take_moved(s, (struct bytes){address->s, given}, &params))
        return;
    session_log_recipient(s, to, &why, refusal);
    if (refusal) {
        session_reply(s, refusal);
        return;
    }
    if (!add_recipient(s, address, given, &params)) {
        session_nomemory(s);
        return;
    }
    s->count++;
    session_reply(s, "250 2.1.5 ok");
    session_tarpit(s, s->count);
}
