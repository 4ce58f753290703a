#include "smtpd/session_inner.h"

/* Where TLS is required, this much may be said without it (RFC 3207 section 4). */
int
session_inclear(struct session const *s)
{
    return s->policy->tls != POLICY_TLS_MUST || s->tls.protocol;
}

int
session_offers_starttls(struct session *s, stralloc *line)
{
    return s->policy->starttls && !s->tls.protocol;
}

void
session_starttls(struct session *s, struct bytes arg)
{
    if (s->tls.protocol)
        session_reply(s, "503 5.5.1 there is TLS already");
    else if (!s->policy->starttls)
        session_reply(s, "502 5.5.1 TLS is not offered here");
    else if (!s->esmtp)
        session_reply(s, "503 5.5.1 EHLO first");
    else if (s->more) {
        /* Words in clear that would be taken for words under TLS: somebody put them there. */
        struct log l;
        session_log_line(s, &l, "injection");
        s->queue->log(&l);
        session_hangup(s, "554 5.5.1 nothing may follow STARTTLS before its answer", "starttls");
    } else {
        session_says(s, "220 2.0.0 go ahead\r\n");
        if (s->state != SESSION_OVER)
            s->state = SESSION_STARTTLS;
    }
}
