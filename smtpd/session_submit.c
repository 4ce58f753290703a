#include <errno.h>
#include <string.h>

#include "smtpd/session_inner.h"

static char const unknown[] = "451 4.3.0 whose address that is cannot be looked up now";

char const *
session_submit_sender(struct session *s)
{
    struct policy const *p = s->policy;

    if (!s->login.len)
        return NULL;
    switch (submit_may(&p->submit, &p->relay, &p->routes, &s->login, s->sender.s, s->sender.len)) {
    case 1:
        return NULL;
    case 0:
        return "553 5.7.1 that sender is not yours";
    default:
        return unknown;
    }
}

int
session_submitted(struct session const *s)
{
    return s->login.len || s->kind == KIND_SUBMISSION || s->kind == KIND_SUBMISSIONS;
}

void
session_tidy_begin(struct session *s)
{
    s->tidying = session_submitted(s);
    if (s->tidying)
        tidy_begin(&s->tidy);
}

static char const *
trouble(int e)
{
    return e == EMSGSIZE ? "552 5.3.4 the header is too large" : "451 4.3.0 the header cannot be completed now";
}

/* Is every address of From the login's? *foreign: it is not, and that is allowed. Returns NULL, or the reply. */
static char const *
judge_from(struct session *s, int *foreign)
{
    struct policy const *p = s->policy;
    struct tidy const *t = &s->tidy;

    *foreign = 0;
    if (!s->login.len || !t->seen[HEADER_FROM])
        return NULL;
    *foreign = t->malformed || !t->froms.len;
    if (*foreign && p->submit.checkfrom)
        return "550 5.6.0 the From field names no address";
    for (char const *a = t->froms.s; a && a < t->froms.s + t->froms.len; a += strlen(a) + 1) {
        int may = submit_may(&p->submit, &p->relay, &p->routes, &s->login, a, strlen(a));
        if (may == -1)
            return unknown;
        if (!may && p->submit.checkfrom)
            return "550 5.7.1 the From field is not yours";
        *foreign |= !may;
    }
    return NULL;
}

static char const *
header_over(struct session *s)
{
    struct bytes const sender = {s->sender.s, s->sender.len}, nobody = {"", 0};
    int foreign;

    s->tidying = 0;
    if (!tidy_fields(&s->tidy))
        return trouble(errno);
    char const *refusal = judge_from(s, &foreign);
    if (refusal)
        return refusal;
    return tidy_write(&s->tidy, sender, foreign ? sender : nobody, s->queue->now(s->queue->to)) ? NULL : trouble(errno);
}

char const *
session_tidy(struct session *s, char const *bytes, size_t len, size_t *used)
{
    switch (tidy_feed(&s->tidy, bytes, len, used)) {
    case 0:
        return NULL;
    case 1:
        return header_over(s);
    default:
        return trouble(errno);
    }
}

char const *
session_tidy_end(struct session *s)
{
    return tidy_finish(&s->tidy) == 1 ? header_over(s) : trouble(errno);
}
