#include <string.h>

#include <skalibs/types.h>

#include "smtpd/session_inner.h"

static char const not_smtp[] = "503 5.5.1 this is LMTP, say LHLO";

static int
is_text(struct bytes arg)
{
    for (size_t i = 0; i < arg.len; i++)
        if (arg.s[i] < 32 || arg.s[i] > 126)
            return 0;
    return arg.len != 0;
}

/* NULL, or the reply. Programs of users rarely know the name of their machine: they are not asked for a proper one. */
static char const *
refuse_name(struct session *s)
{
    struct guard const *g = &s->policy->guard;
    char const *refusal;
    int yes;

    refusal = session_check(s, HOOK_HELO, (struct bytes){0}, &yes);
    if (refusal || yes)
        return refusal;
    if (guard_name(&g->badhelo, s->helo.s, s->helo.len))
        return "550 5.7.1 this name is not welcome";
    if (g->helostrict && s->kind == KIND_SMTP && !s->policy->relayclient && !guard_proper(s->helo.s, s->helo.len))
        return "504 5.5.2 a host name with its domain is wanted, or an address literal";
    return NULL;
}

/* Any printing argument is taken, unless a setting says otherwise: hosts that do not know their name are none the worse for
 * it. */
static int
hello(struct session *s, struct bytes arg, int esmtp)
{
    if (!is_text(arg)) {
        session_reply(s, "501 5.5.4 say your name");
        return 0;
    }
    session_reset(s);
    s->esmtp = esmtp;
    if (!stralloc_copyb(&s->helo, arg.s, arg.len)) {
        session_nomemory(s);
        return 0;
    }
    char const *refusal = refuse_name(s);
    if (!refusal)
        return s->state != SESSION_OVER;
    session_log_refusal(s, "helo", (struct bytes){0}, refusal);
    s->helo.len = 0;
    session_reply(s, refusal);
    return 0;
}

void
session_helo(struct session *s, struct bytes arg)
{
    if (s->kind == KIND_LMTP) {
        session_reply(s, not_smtp);
        return;
    }
    if (!hello(s, arg, 0))
        return;
    session_says(s, "250 ");
    session_says(s, s->policy->me.s);
    session_says(s, "\r\n");
}

/* ---- what EHLO offers: a line each; whoever has an argument, or is not always there, has a function ---- */

/* Returns 1 if it is offered, with its argument appended. */
static int
offer_size(struct session *s, stralloc *line)
{
    char size[UINT32_FMT];

    return stralloc_append(line, ' ') && stralloc_catb(line, size, uint32_fmt(size, s->policy->databytes));
}

static int
put_limit(stralloc *line, char const *name, uint32_t value)
{
    char digits[UINT32_FMT];

    return !value || (stralloc_cats(line, name) && stralloc_catb(line, digits, uint32_fmt(digits, value)));
}

/* RFC 9422; a limit that does not exist is not named. */
static int
offer_limits(struct session *s, stralloc *line)
{
    struct policy const *p = s->policy;

    return (p->maxmessages || p->maxrcpt) && put_limit(line, " MAILMAX=", p->maxmessages) &&
           put_limit(line, " RCPTMAX=", p->maxrcpt);
}

static int
offer_xclient(struct session *s, stralloc *line)
{
    return s->may_xclient && stralloc_cats(line, " NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
}

static int
offer_vrfy(struct session *s, stralloc *line)
{
    return s->policy->vrfy != 0;
}

static int
offer_expn(struct session *s, stralloc *line)
{
    return s->policy->expn != 0;
}

static struct {
    char const *keyword;
    int (*offer)(struct session *, stralloc *line); /* NULL: always, without an argument */
} const keywords[] = {
    /* clang-format off */
    {"PIPELINING", NULL},
    {"8BITMIME", NULL},
    {"ENHANCEDSTATUSCODES", NULL},
    {"SIZE", offer_size},
    {"CHUNKING", NULL},
    {"SMTPUTF8", NULL},
    {"DSN", NULL},
    {"LIMITS", offer_limits},
    {"AUTH", session_auth_offer},
    {"STARTTLS", session_offers_starttls},
    {"XCLIENT", offer_xclient},
    {"VRFY", offer_vrfy},
    {"EXPN", offer_expn},
    /* clang-format on */
};

static void
list_keywords(struct session *s)
{
    stralloc *line = &s->scratch;

    session_says(s, "250-");
    session_says(s, s->policy->me.s);
    session_says(s, "\r\n");
    for (unsigned int i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        line->len = 0;
        if (!stralloc_cats(line, "250-") || !stralloc_cats(line, keywords[i].keyword)) {
            session_nomemory(s);
            return;
        }
        if (keywords[i].offer && !keywords[i].offer(s, line))
            continue;
        session_say(s, line->s, line->len);
        session_says(s, "\r\n");
    }
    session_says(s, "250 HELP\r\n");
}

void
session_ehlo(struct session *s, struct bytes arg)
{
    if (s->kind == KIND_LMTP)
        session_reply(s, not_smtp);
    else if (hello(s, arg, 1))
        list_keywords(s);
}

void
session_lhlo(struct session *s, struct bytes arg)
{
    if (s->kind != KIND_LMTP)
        session_reply(s, "500 5.5.1 this is SMTP, say EHLO");
    else if (hello(s, arg, 1))
        list_keywords(s);
}
