#include "auth/authd.h"

#include <string.h>
#include <sys/resource.h>

#include "lib/sasl.h"

void
authd_verdict(struct authd_reply *r, char class, char const *reason)
{
    r->answer.class = class;
    r->answer.reason = (struct bytes){reason, strlen(reason)};
}

int
authd_login(struct authd const *d, struct bytes login, struct authd_reply *r)
{
    int bare = !login.len || !memchr(login.s, '@', login.len);

    r->login.len = 0;
    if (!stralloc_catb(&r->login, login.s, login.len) ||
        (bare && d->domain.len &&
         (!stralloc_append(&r->login, '@') || !stralloc_catb(&r->login, d->domain.s, d->domain.len)))) {
        authd_verdict(r, 'Z', "memory");
        return 0;
    }
    for (size_t i = 0; i < r->login.len; i++)
        if (r->login.s[i] >= 'A' && r->login.s[i] <= 'Z')
            r->login.s[i] = (char)(r->login.s[i] + 32);
    return 1;
}

/* An identity to act as can only be one's own: nobody here may speak for another. */
static int
is_own(struct authd const *d, struct bytes authzid, struct authd_reply *r)
{
    struct authd_reply other = AUTHD_REPLY_ZERO;
    int same;

    if (!authzid.len)
        return 1;
    same = authd_login(d, authzid, &other) && other.login.len == r->login.len &&
           !memcmp(other.login.s, r->login.s, r->login.len);
    stralloc_free(&other.login);
    return same;
}

static void
password(struct authd const *d, struct auth_question const *q, struct bytes authzid, struct bytes login,
         struct bytes secret, struct authd_reply *r)
{
    if (!authd_login(d, login, r))
        return;
    if (!is_own(d, authzid, r))
        authd_verdict(r, 'D', "authzid");
    else
        authd_run(d, q, (struct bytes){r->login.s, r->login.len}, secret, r);
}

static void
plain(struct authd const *d, struct auth_question const *q, struct authd_reply *r)
{
    struct bytes authzid, login, secret;

    if (q->count == 1 && sasl_plain(q->said[0], &authzid, &login, &secret))
        password(d, q, authzid, login, secret, r);
    else
        authd_verdict(r, 'M', "malformed");
}

static void
login(struct authd const *d, struct auth_question const *q, struct authd_reply *r)
{
    if (q->count == 3 && sasl_login(q->said[0]) && sasl_password(q->said[2]))
        password(d, q, (struct bytes){0}, q->said[0], q->said[2], r);
    else
        authd_verdict(r, 'M', "malformed");
}

void
authd_judge(struct authd const *d, struct auth_question const *q, struct authd_reply *r)
{
    enum sasl which = sasl_named(q->mechanism.s, q->mechanism.len);

    authd_verdict(r, 'Z', "memory");
    if (which == SASL_PLAIN)
        plain(d, q, r);
    else if (which == SASL_LOGIN)
        login(d, q, r);
    else if (which == SASL_SCRAM_SHA_256)
        authd_scram(d, q, r);
    else if (which == SASL_CRAM_MD5)
        authd_cram(d, q, r);
    else
        authd_verdict(r, 'M', "mechanism");
    r->answer.data = (struct bytes){r->data.s, r->data.len};
    r->answer.login = (struct bytes){r->login.s, r->login.len};
    r->answer.name = (struct bytes){r->name.s, r->name.len};
    r->answer.rights = (struct bytes){r->rights.s, r->rights.len};
}

/* What it runs may be any program, so there is no sandbox that fits. */
int
authd_limit(uint32_t seconds)
{
    struct rlimit const core = {0, 0}, files = {256, 256}, cpu = {seconds + 10, seconds + 10};

    return setrlimit(RLIMIT_CORE, &core) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0 &&
           setrlimit(RLIMIT_CPU, &cpu) == 0;
}
