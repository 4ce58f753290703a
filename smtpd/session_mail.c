#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "queue/envelope.h"
#include "smtpd/session_inner.h"

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
        session_nomemory(s);
    else if (errno == EILSEQ)
        session_reply(s, "553 5.6.7 no address here has bytes from 0x80");
    else
        session_reply(s, errno == EMSGSIZE ? "501 5.1.0 the address is too long" : malformed);
    return 0;
}

void
session_mail(struct session *s, struct bytes arg)
{
    char const *refusal = NULL;

    if (!s->helo.len)
        refusal = "503 5.5.1 EHLO first";
    else if (s->has_sender)
        refusal = "503 5.5.1 there is a sender already";
    else if (!take_word(&arg, "FROM:"))
        refusal = "501 5.5.4 MAIL FROM:<address>";
    if (refusal) {
        session_reply(s, refusal);
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
        session_reply(s, "250 2.1.0 ok");
        return;
    }
    session_log_refusal(s, "sender", (struct bytes){0}, refusal);
    session_reset(s);
    session_reply(s, refusal);
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

void
session_rcpt(struct session *s, struct bytes arg)
{
    struct params params;
    stralloc *address = &s->scratch;
    char const *relay = s->policy->relayclient;

    if (!s->has_sender) {
        session_reply(s, "503 5.5.1 MAIL first");
        return;
    }
    if (!take_word(&arg, "TO:")) {
        session_reply(s, "501 5.5.4 RCPT TO:<address>");
        return;
    }
    if (!take_path(s, &arg, ADDR_LOCAL, address, "501 5.1.3 malformed recipient"))
        return;
    char const *refusal = params_scan(arg, PARAMS_RCPT, &params);
    size_t given = address->len;
    if (!stralloc_cats(address, relay ? relay : "")) {
        session_nomemory(s);
        return;
    }
    if (!refusal && s->policy->maxrcpt && s->count >= s->policy->maxrcpt)
        refusal = "452 4.5.3 too many recipients";
    if (!refusal && !envelope_address(address->s, address->len))
        refusal = "550 5.1.3 this server cannot say that address";
    if (!refusal)
        refusal = refusal_of(policy_recipient(s->policy, address->s, address->len));
    if (refusal) {
        session_log_refusal(s, "recipient", (struct bytes){address->s, address->len}, refusal);
        session_reply(s, refusal);
        return;
    }
    if (!envelope_put(&s->recipients, "to", address->s, address->len) ||
        (!s->count && !stralloc_copyb(&s->only, address->s, given))) {
        session_nomemory(s);
        return;
    }
    s->count++;
    session_reply(s, "250 2.1.5 ok");
}
