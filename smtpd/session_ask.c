#include <errno.h>
#include <string.h>
#include <strings.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/addr.h"
#include "lib/durable.h"
#include "lib/utf8.h"
#include "smtpd/session_inner.h"

#define POSSIBILITIES 20 /* mailboxes told of one name */
#define DOMAINS 1000     /* looked through for them */
#define MEMBERS 1000     /* told of one alias */

/* The argument as an address, "joe", "joe@example.org" or "<joe@example.org>". Returns 1, or has replied. */
static int
take_address(struct session *s, struct bytes arg, stralloc *address)
{
    static char const utf8[] = " SMTPUTF8"; /* RFC 6531 section 3.7.4 */

    if (arg.len > sizeof utf8 && !strncasecmp(arg.s + arg.len - (sizeof utf8 - 1), utf8, sizeof utf8 - 1))
        arg.len -= sizeof utf8 - 1;
    if (addr_path(&arg, ADDR_LOCAL | ADDR_BARE, address) && !arg.len)
        return 1;
    if (errno == ENOMEM)
        session_nomemory(s);
    else
        session_reply(s, "501 5.1.3 that is no address");
    return 0;
}

/* ---- replies of several lines ---- */

struct list {
    struct session *s;
    char const *code; /* "250 2.1.5 " */
    stralloc last;    /* the line that may be the last one */
    unsigned int count;
};

static int
list_add(struct list *l, char const *address, size_t len)
{
    stralloc line = STRALLOC_ZERO;
    int good = stralloc_cats(&line, l->code) && stralloc_cats(&line, "<") && addr_quote(&line, address, len) &&
               stralloc_cats(&line, ">\r\n");

    if (!good && errno == EPROTO) { /* SMTP cannot say it */
        stralloc_free(&line);
        return 1;
    }
    if (good && l->count++) {
        l->last.s[3] = '-';
        session_say(l->s, l->last.s, l->last.len);
    }
    stralloc_free(&l->last);
    l->last = line;
    return good;
}

static void
list_end(struct list *l)
{
    if (l->count)
        session_say(l->s, l->last.s, l->last.len);
    stralloc_free(&l->last);
}

/* ---- VRFY ---- */

/* The mailboxes of that name in any domain: the name alone does not say whose it is. Returns their number, -1 with errno. */
static int
possibilities(struct session *s, struct bytes name, stralloc *addresses)
{
    struct relay_reason why;
    stralloc domains = STRALLOC_ZERO, address = STRALLOC_ZERO;
    char const *here = s->policy->routes.envnoathost.s;
    int good = 1, found = 0;
    unsigned int seen = 0;

    if (!durable_names("control/domain", &domains))
        domains.len = 0;

    for (char const *domain = here; good && domain && found < POSSIBILITIES && seen < DOMAINS; seen++) {
        address.len = 0;
        good = stralloc_catb(&address, name.s, name.len) && stralloc_cats(&address, "@") &&
               stralloc_cats(&address, domain);
        if (good && (!seen || strcmp(domain, here) != 0) &&
            policy_recipient(s->policy, &s->login, address.s, address.len, &why) == POLICY_TAKE &&
            why.verdict == RELAY_OWN) {
            good = stralloc_catb(addresses, address.s, address.len) && stralloc_0(addresses);
            found++;
        }
        domain = !seen ? domains.s : domain + strlen(domain) + 1;
        if (!domains.len || domain == domains.s + domains.len)
            domain = NULL;
    }
    stralloc_free(&domains);
    stralloc_free(&address);
    return good ? found : -1;
}

/* A name without a domain. Returns 1 if there is somebody, or several, and that was said. */
static int
verify_name(struct session *s, struct bytes name)
{
    stralloc addresses = STRALLOC_ZERO;
    int found = possibilities(s, name, &addresses);
    struct list l = {.s = s, .code = found > 1 ? "553 5.1.4 ambiguous, it may be " : "250 2.1.5 "};

    if (found == -1)
        session_nomemory(s);
    for (char const *a = addresses.s; found > 0 && a < addresses.s + addresses.len; a += strlen(a) + 1)
        if (!list_add(&l, a, strlen(a)))
            session_nomemory(s);
    list_end(&l);
    stralloc_free(&addresses);
    return found != 0;
}

static void
verify(struct session *s, stralloc const *address)
{
    struct relay_reason why;
    struct bytes name = {address->s, address->len};
    stralloc to = STRALLOC_ZERO, text = STRALLOC_ZERO;
    enum policy_verdict verdict = policy_recipient(s->policy, &s->login, name.s, name.len, &why);
    int known = verdict == POLICY_TAKE || verdict == POLICY_UNKNOWN;
    int moved = known ? session_moved(s, name, &to, &text) : 0;

    if (moved == 1)
        session_reply(s, text.s);
    else if (moved == 0 && (addr_at(name.s, name.len) < name.len || !known || !verify_name(s, name))) {
        if (verdict != POLICY_TAKE)
            session_reply(s, session_refusal(verdict));
        else if (why.verdict != RELAY_OWN || !policy_is_here(s->policy, name.s, name.len))
            session_reply(s, "252 2.1.5 not a mailbox of mine, but I would pass mail on");
        else {
            struct list l = {.s = s, .code = "250 2.1.5 "};
            if (!list_add(&l, name.s, name.len))
                session_nomemory(s);
            list_end(&l);
        }
    }
    stralloc_free(&to);
    stralloc_free(&text);
}

void
session_vrfy(struct session *s, struct bytes arg)
{
    stralloc address = STRALLOC_ZERO;

    if (!s->policy->vrfy)
        session_reply(s, "252 2.0.0 send some mail, I will try to deliver it");
    else if (take_address(s, arg, &address))
        verify(s, &address);
    stralloc_free(&address);
}

/* ---- EXPN ---- */

/* NULL, or the reply that there are none. */
static char const *
expand(struct session *s, struct bytes name, struct list *l)
{
    struct user user = USER_ZERO;
    stralloc members = STRALLOC_ZERO;
    char const *refusal = NULL;
    int found = users_members(name.s, name.len, &members);

    if (!found) {
        found = users_find(name.s, name.len, &user);
        refusal = found == 1 ? "550 5.1.0 that is a user, not a list" : session_refusal(POLICY_UNKNOWN);
    }
    if (found == -1)
        refusal = "450 4.3.0 the list cannot be looked up now";
    for (char const *m = members.s; !refusal && members.len && m < members.s + members.len && l->count < MEMBERS;
         m += strlen(m) + 1)
        if (!utf8_has8bit(m, strlen(m)) && !list_add(l, m, strlen(m)))
            session_nomemory(s);
    if (!refusal && !l->count)
        refusal = "550 5.1.0 that is a mailbox, not a list";
    stralloc_free(&user.storage);
    stralloc_free(&members);
    return refusal;
}

void
session_expn(struct session *s, struct bytes arg)
{
    struct list l = {.s = s, .code = "250 2.1.5 "};
    stralloc address = STRALLOC_ZERO;
    char const *refusal = NULL;

    if (!s->policy->expn)
        refusal =
            s->policy->expn_denied ? "550 5.7.1 access denied to you" : "502 5.5.1 that command is not offered here";
    else if (!arg.len)
        refusal = "501 5.5.4 an argument is wanted";
    else if (take_address(s, arg, &address)) {
        size_t at = addr_at(address.s, address.len);
        struct bytes domain = {address.s + at + 1, address.len - at - 1};
        if (at < address.len && !control_holds(&s->policy->routes.locals, domain.s, domain.len, 0))
            refusal = "550 5.1.0 no list of mine is there";
        else
            refusal = expand(s, (struct bytes){address.s, at}, &l);
    }
    if (refusal)
        session_reply(s, refusal);
    list_end(&l);
    stralloc_free(&address);
}

void
session_help(struct session *s, struct bytes arg)
{
    session_reply(s, s->kind == KIND_LMTP
                         ? "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN HELP QUIT, as in RFC 2033"
                         : "214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN HELP QUIT, as in RFC 5321");
}
