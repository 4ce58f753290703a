#include "smtpd/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/addr.h"
#include "lib/sasl.h"

/* A text that must not stay unread: a default of "@me" is taken from where it was read already. */
static int
read_text(struct policy const *p, unsigned char const *present, enum setting setting, stralloc *value)
{
    char const *fallback = control_default(setting);

    if (!present[setting] && (!fallback || !strcmp(fallback, "@me")))
        return !fallback || stralloc_catb(value, p->me.s, p->me.len + 1);
    return control_list(setting, value) != -1;
}

static int
read_numbers(struct policy *p, unsigned char const *present, char const **which)
{
    struct {
        enum setting setting;
        uint32_t *value;
    } const numbers[] = {
        {SET_databytes, &p->databytes},
        {SET_sessionbytes, &p->sessionbytes},
        {SET_maxrcpt, &p->maxrcpt},
        {SET_maxhops, &p->maxhops},
        {SET_maxline, &p->maxline},
        {SET_maxerrors, &p->maxerrors},
        {SET_maxmessages, &p->maxmessages},
        {SET_timeoutsmtpd, &p->timeoutsmtpd},
        {SET_timeoutsession, &p->timeoutsession},
        {SET_mindatarate, &p->mindatarate},
        {SET_greetdelay, &p->greetdelay},
        {SET_vrfy, &p->vrfy},
        {SET_expn, &p->expn},
        {SET_tarpitcount, &p->tarpitcount},
        {SET_tarpitdelay, &p->tarpitdelay},
        {SET_auth, &p->auth},
        {SET_authrequired, &p->authrequired},
        {SET_authneedtls, &p->authneedtls},
        {SET_authfailures, &p->authfailures},
        {SET_authdelay, &p->authdelay},
        {SET_timeoutauth, &p->timeoutauth},
        {SET_timeouttls, &p->timeouttls},
    };

    for (unsigned int i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i].value = control_rows[numbers[i].setting].number;
        if (present[numbers[i].setting] && !control_uint(numbers[i].setting, numbers[i].value)) {
            *which = control_path(numbers[i].setting);
            return 0;
        }
    }
    /* What EHLO says of SIZE must be true. */
    if (p->sessionbytes && (!p->databytes || p->databytes > p->sessionbytes))
        p->databytes = p->sessionbytes;
    return 1;
}

static int
read_lists(struct policy *p, unsigned char const *present, char const **which)
{
    struct {
        enum setting setting;
        stralloc *value;
    } const lists[] = {
        {SET_xclientfrom, &p->xclientfrom},
        {SET_moved, &p->moved},
        {SET_locals, &p->routes.locals},
        {SET_virtualdomains, &p->routes.virtualdomains},
    };

    for (unsigned int i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!read_text(p, present, lists[i].setting, lists[i].value)) {
            *which = control_path(lists[i].setting);
            return 0;
        }
    return 1;
}

/* A line that must be there, NUL-terminated; the NUL is not counted. */
static int
read_line(struct policy const *p, unsigned char const *present, enum setting setting, stralloc *value,
          char const **which)
{
    *which = control_path(setting);
    if (!present[setting] && setting != SET_me) {
        if (!read_text(p, present, setting, value))
            return 0;
        value->len--;
        return 1;
    }
    int got = control_line(setting, value);
    if (!got)
        errno = ENOENT;
    return got == 1;
}

#define WHERE_SUBMITTED 2 /* of auth and authrequired */

/* After the numbers. The challenge methods need users/passwords, which other checkpassword programs have nothing to do
 * with. */
static int
read_auth(struct policy *p, unsigned char const *present, char const **which)
{
    stralloc text = STRALLOC_ZERO;
    int submitted = p->kind == KIND_SUBMISSION || p->kind == KIND_SUBMISSIONS;
    int good;

    if (p->auth == WHERE_SUBMITTED)
        p->auth = submitted;
    if (p->authrequired == WHERE_SUBMITTED)
        p->authrequired = submitted;
    if (!p->auth)
        return 1;
    *which = control_path(SET_authmech);
    good = read_text(p, present, SET_authmech, &text) && (!text.len || sasl_list(text.s, &p->authmech));
    text.len = 0;
    if (good) {
        *which = control_path(SET_checkpassword);
        good = read_text(p, present, SET_checkpassword, &text);
    }
    if (good && (!text.len || strcmp(text.s, "pneu-checkpw") != 0))
        p->authmech &= 1u << SASL_PLAIN | 1u << SASL_LOGIN;
    int e = errno;
    stralloc_free(&text);
    return (errno = e, good);
}

static int
read_kind(enum policy_kind *kind, char const **which)
{
    static char const *const kinds[] = {
        [KIND_SMTP] = "smtp",
        [KIND_SUBMISSION] = "submission",
        [KIND_SUBMISSIONS] = "submissions",
        [KIND_LMTP] = "lmtp",
    };
    char const *value = getenv("PNEU_KIND");

    *kind = KIND_SMTP;
    if (!value || !*value)
        return 1;
    for (unsigned int i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(value, kinds[i])) {
            *kind = (enum policy_kind)i;
            return 1;
        }
    *which = "PNEU_KIND";
    return (errno = EINVAL, 0);
}

static int
read_tls(struct policy *p, unsigned char const *present, char const **which)
{
    static char const *const words[] = {[POLICY_TLS_NO] = "no", [POLICY_TLS_MAY] = "may", [POLICY_TLS_MUST] = "must"};
    stralloc word = STRALLOC_ZERO;
    int good = read_line(p, present, SET_servertls, &word, which) && word.s, known = 0;

    for (unsigned int i = 0; good && i < sizeof words / sizeof *words; i++)
        if (!strcmp(word.s, words[i])) {
            p->tls = (enum policy_tls)i;
            known = 1;
        }
    stralloc_free(&word);
    if (good && !known)
        errno = EPROTO;
    return good && known;
}

/* An access rule may say otherwise for a client. */
static void
read_rights(struct policy *p)
{
    char const *vrfy = getenv("VRFY"), *expn = getenv("EXPN");

    if (vrfy && *vrfy)
        p->vrfy = !strcmp(vrfy, "1");
    if (!expn || !*expn)
        return;
    int may = !strcmp(expn, "1");
    p->expn_denied = p->expn && !may;
    p->expn = may;
}

int
policy_read(struct policy *p, char const **which)
{
    char const *server = getenv("PNEU_SERVER");
    char const *rdns = getenv("PNEU_RDNS");
    unsigned char present[SET_count];

    p->relayclient = getenv("RELAYCLIENT");
    p->rule = getenv("PNEU_ACCESS_RULE");
    p->nameless = rdns && !strcmp(rdns, "later");
    p->listener = server && *server ? server : NULL;
    control_present(present);
    if (!read_numbers(p, present, which))
        return 0;
    read_rights(p);
    return read_kind(&p->kind, which) && read_line(p, present, SET_me, &p->me, which) &&
           read_line(p, present, SET_smtpgreeting, &p->greeting, which) &&
           read_line(p, present, SET_envnoathost, &p->routes.envnoathost, which) && read_lists(p, present, which) &&
           read_auth(p, present, which) && relay_read(&p->relay, present, which) && read_tls(p, present, which) &&
           guard_read(&p->guard, present, which) && submit_read(&p->submit, present, which);
}

void
policy_free(struct policy *p)
{
    stralloc *const all[] = {
        &p->me,
        &p->greeting,
        &p->xclientfrom,
        &p->moved,
        &p->routes.envnoathost,
        &p->routes.locals,
        &p->routes.virtualdomains,
        &p->guard.badmailfrom,
        &p->guard.badrcptto,
        &p->guard.badhelo,
        &p->relay.rcpthosts,
        &p->relay.morercpthosts,
        &p->relay.submitusers,
        &p->relay.relayusers,
        &p->relay.groups,
        &p->submit.senders,
        &p->submit.masquerade,
        0,
    };

    for (stralloc *const *i = all; *i; i++)
        stralloc_free(*i);
}

static enum policy_verdict
lookup(char const *address, size_t len)
{
    struct user user = USER_ZERO;
    int found = users_find(address, len, &user);
    int e = errno;

    stralloc_free(&user.storage);
    errno = e;
    return found == 1 ? POLICY_TAKE : found == 0 ? POLICY_UNKNOWN : POLICY_LATER;
}

enum policy_verdict
policy_recipient(struct policy const *p, stralloc const *login, char const *address, size_t len,
                 struct relay_reason *why)
{
    struct relay_client const client = {
        .relayclient = p->relayclient,
        .rule = p->rule,
        .later = p->nameless,
        .login = login->s,
        .login_len = login->len,
    };
    stralloc to = STRALLOC_ZERO;
    enum policy_verdict verdict = POLICY_TAKE;
    enum route route;

    memset(why, 0, sizeof *why);
    if (!route_find(&p->routes, address, len, &to, &route)) {
        int e = errno;
        stralloc_free(&to);
        return (errno = e, POLICY_LATER);
    }
    size_t local = addr_at(to.s, to.len);
    relay_decide(&p->relay, &p->routes, &client, address, len, route, why);
    if (why->verdict == RELAY_NO || why->verdict == RELAY_LATER)
        verdict = why->verdict == RELAY_NO ? POLICY_RELAY : POLICY_NAMELESS;
    else if (route == ROUTE_MAILBOX)
        verdict = lookup(to.s, to.len);
    else if (route == ROUTE_LOCAL) /* a quoted '@' would be looked up as a mailbox's address */
        verdict = addr_at(to.s, local) < local ? POLICY_UNKNOWN : lookup(to.s, local);
    int e = errno;
    stralloc_free(&to);
    errno = e;
    return verdict;
}

int
policy_submit(struct policy const *p, stralloc const *login)
{
    char const *item;

    return !login->len || relay_may_submit(&p->relay, login->s, login->len, &item);
}

char const *
policy_moved(struct policy const *p, char const *address, size_t len)
{
    size_t at = addr_at(address, len);
    char const *value = p->moved.len ? control_value(&p->moved, address, len) : NULL;

    if (value || !p->moved.len || at == len || !control_holds(&p->routes.locals, address + at + 1, len - at - 1, 0))
        return value;
    return control_value(&p->moved, address, at);
}

int
policy_is_here(struct policy const *p, char const *address, size_t len)
{
    stralloc to = STRALLOC_ZERO;
    enum route route;
    int here = route_find(&p->routes, address, len, &to, &route) && route != ROUTE_REMOTE;

    stralloc_free(&to);
    return here;
}
