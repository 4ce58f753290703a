#include "smtpd/connection.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "lib/exits.h"
#include "smtpd/handover.h"
#include "smtpd/peer.h"
#include "smtpd/policy.h"
#include "smtpd/sandbox.h"
#include "smtpd/session.h"
#include "smtpd/wire.h"

/* Pages of this that no byte was read into do not exist: a session that sends commands alone has one. */
#define INPUT_MAX 65536
#define INPUT_COMMANDS 4096

void
connection_later(char const *text)
{
    (void)!write(1, text, strlen(text));
}

static int
flush(struct wire *w, struct session *s)
{
    int sent = wire_write(w, s->out.s, s->out.len);

    s->out.len = 0;
    if (!sent)
        session_hangup(s, NULL, errno == ETIMEDOUT || errno == ETIME ? "timeout" : "write");
    return sent;
}

static void
read_failed(struct session *s, ssize_t got)
{
    if (!got)
        session_hangup(s, NULL, s->state == SESSION_DATA || s->open ? "eof-in-data" : "eof");
    else if (errno == ETIMEDOUT)
        session_hangup(s, "421 4.4.2 I have waited long enough, goodbye", "timeout");
    else if (errno == ETIME)
        session_hangup(s, "421 4.4.2 this session has lasted long enough, goodbye", "timeoutsession");
    else
        session_hangup(s, NULL, "read");
}

static void
serve(struct wire *w, struct session *s)
{
    static char input[INPUT_MAX];
    size_t len = 0;

    while (flush(w, s) && s->state != SESSION_OVER) {
        size_t room = (s->state == SESSION_DATA || s->state == SESSION_CHUNK ? INPUT_MAX : INPUT_COMMANDS) - len;
        ssize_t got = wire_read(w, input + len, room);
        if (got <= 0) {
            read_failed(s, got);
            continue;
        }
        len += (size_t)got;
        size_t used = session_feed(s, input, len);
        len -= used;
        if (len)
            memmove(input, input + used, len);
    }
}

int
connection(int confined)
{
    struct policy policy = {0};
    struct session_queue queue;
    struct handover handover;
    struct session session;
    struct peer peer;
    struct wire wire;
    char const *which;

    peer_find(&peer);
    if (!policy_read(&policy, &which)) {
        connection_later("421 4.3.0 my settings cannot be read\r\n");
        strerr_warnwu2sys("read ", which);
        return EXIT_TEMP;
    }
    wire_init(&wire, policy.timeoutsmtpd, policy.timeoutsession);
    if (!confined && !smtpd_confine()) {
        connection_later("421 4.3.0 my sandbox cannot be built\r\n");
        strerr_warnwusys("confine myself");
        return EXIT_TEMP;
    }
    handover_init(&handover, wire.timeout, &queue);
    session_start(&session, &policy, &peer, &queue);
    serve(&wire, &session);
    session_log_end(&session);
    return 0;
}
