#include "smtpd/session_inner.h"

void
session_vrfy(struct session *s, struct bytes arg)
{
    session_reply(s, "252 2.0.0 send some mail, I will try to deliver it");
}

void
session_help(struct session *s, struct bytes arg)
{
    session_reply(s, "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, as in RFC 5321");
}
