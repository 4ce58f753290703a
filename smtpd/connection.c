#include "smtpd/connection.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "lib/exits.h"
#include "lib/unstack.h"
#include "smtpd/become.h"
#include "smtpd/checks.h"
#include "smtpd/peer.h"
#include "smtpd/policy.h"
#include "smtpd/sandbox.h"
#include "smtpd/session.h"
#include "smtpd/starttls.h"
#include "smtpd/wire.h"

/* Pages of this that no byte was read into do not exist: a session that sends commands alone has one. */
#define INPUT_MAX 65536
#define INPUT_COMMANDS 16384 /* more than SESSION_AUTH_MAX */

#define AUTH_GRACE 5 /* seconds that pneu-authd has to say that its own time is up */

#define TARPIT_MAX 60 /* seconds for all the commands that came at once: longer, and honest clients time out */

void
connection_later(char const *text)
{
    (void)!write(1, text, strlen(text));
}

/* The answers to a client that earned it come late. */
static void
tarpit(struct wire *w, struct session *s)
{
    uint64_t seconds = (uint64_t)s->slow * s->policy->tarpitdelay;

    if (seconds)
        wire_pause(w, seconds < TARPIT_MAX ? (uint32_t)seconds : TARPIT_MAX);
    s->slow = 0;
}

static int
flush(struct wire *w, struct session *s)
{
    tarpit(w, s);
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
    else if (errno == ENODATA)
        session_hangup(s, "421 4.4.2 the message comes too slowly, goodbye", "slow");
    else if (errno == ETIME)
        session_hangup(s, "421 4.4.2 this session has lasted long enough, goodbye", "timeoutsession");
    else
        session_hangup(s, NULL, "read");
}

static int
is_message(struct session const *s)
{
    return s->state == SESSION_DATA || s->state == SESSION_CHUNK;
}

/* Who is to wait for the greeting and does not is no mail server (RFC 5321 section 4.3.1). */
static void
await_greeting(struct wire *w, struct session *s)
{
    char word[64];

    if (!s->policy->greetdelay || !wire_hears(w, s->policy->greetdelay))
        return;
    s->out.len = 0;
    if (read(0, word, sizeof word) <= 0)
        session_hangup(s, NULL, "eof");
    else
        session_hangup(s, "554 5.5.1 you spoke before the greeting, goodbye", "talked-first");
}

static void
serve(struct wire *w, struct session *s)
{
    static char input[INPUT_MAX];
    size_t len = 0;

    if (s->out.len) /* not after STARTTLS */
        await_greeting(w, s);
    while (flush(w, s) && s->state < SESSION_STARTTLS) {
        wire_rate(w, is_message(s) ? s->policy->mindatarate : 0);
        wire_part(w, s->state == SESSION_TOO_LONG || len);
        ssize_t got = wire_read(w, input + len, (is_message(s) ? INPUT_MAX : INPUT_COMMANDS) - len);
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

/* The client may have sent more while it was given the answer: that is not lost on the TLS, which will not understand it. */
static int
begin_tls(struct starttls const *t, struct session const *s, struct wire const *w)
{
    struct starttls_carried c = {
        .errors = s->errors,
        .messages = s->messages,
        .bytes = s->bytes,
        .failures = s->auth.failures,
        .left = wire_left(w),
    };
    char const *problem = starttls_exec(t, &c);

    strerr_warnwusys(problem);
    return EXIT_TEMP;
}

/* A listener's child becomes no other program but for TLS. Its first client decides whether it may; a second comes within a second. */
static int
narrow(struct connection *c, struct starttls const *t, int xclient)
{
    char folder[STARTTLS_PATH_MAX];
    int starttls = t->by != STARTTLS_NOBODY;

    if (c->narrowed)
        return 1;
    c->narrowed = c->child;
    c->starttls = starttls;
    if (c->child)
        return smtpd_confine_child(starttls);
    if (starttls || !xclient)
        return starttls ? smtpd_confine_starttls(t->folder) : smtpd_confine();
    return starttls_folder(folder) && smtpd_confine_starttls(folder);
}

int
connection(struct connection *c)
{
    struct policy policy = {0};
    struct session_queue queue;
    struct session_checks hooks;
    struct checks checks;
    struct session session;
    struct peer peer;
    struct wire wire;
    struct starttls starttls = {.by = STARTTLS_NOBODY};
    struct starttls_carried carried;
    int resumed;
    char const *which;

    c->polite = 0;
    peer_find(&peer);
    if (!policy_read(&policy, &which)) {
        connection_later("421 4.3.0 my settings cannot be read\r\n");
        strerr_warnwu2sys("read ", which);
        return EXIT_TEMP;
    }
    resumed = starttls_resumed(&carried, peer.tls.protocol);
    if (resumed == -1 || (policy.kind == KIND_SUBMISSIONS && !peer.tls.protocol)) {
        connection_later("421 4.3.0 my TLS is broken\r\n");
        strerr_warnw("there should be TLS, and is none");
        return EXIT_TEMP;
    }
    if (policy.tls != POLICY_TLS_NO && !peer.tls.protocol && (!c->narrowed || c->starttls))
        starttls_find(&starttls, policy.timeouttls);
    policy.starttls = starttls.by != STARTTLS_NOBODY;
    wire_init(&wire, policy.timeoutsmtpd, resumed ? carried.left : policy.timeoutsession);
    if (c->child)
        policy.xclientfrom.len = 0;
    if (!narrow(c, &starttls, policy.xclientfrom.len && !peer.spoken_for)) {
        connection_later("421 4.3.0 my sandbox cannot be built\r\n");
        strerr_warnwusys("confine myself");
        return EXIT_TEMP;
    }
    handover_init(&c->handover, wire.timeout, policy.timeoutauth + AUTH_GRACE, &queue);
    checks_init(&checks, policy.guard.timeoutcheck, &hooks);
    queue.checks = &hooks;
    session_start(&session, &policy, &peer, &queue);
    if (resumed)
        session_resume(&session, &carried);
    unstack();
    serve(&wire, &session);
    if (session.state == SESSION_STARTTLS)
        return begin_tls(&starttls, &session, &wire);
    session_log_end(&session);
    checks_close(&checks);
    if (session.become) {
        become(session.become, &session.environment);
        connection_later("421 4.3.0 I cannot go on as another program\r\n");
        strerr_warnwu2sys("become ", session.become[0]);
        return EXIT_TEMP;
    }
    c->polite = session_polite(&session);
    session_free(&session);
    policy_free(&policy);
    return 0;
}
