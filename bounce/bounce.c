#include "bounce/bounce.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/tai.h>

#include "bounce/badmail.h"
#include "control/control.h"
#include "lib/confine.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "queue/envelope.h"
#include "queue/intake.h"
#include "queue/layout.h"

#define DOUBLE "#@[]" /* sender of a report on a report, qmail's */
#define SECONDS 600   /* for the whole intake */

/* ---- settings ---- */

static int
line(stralloc *to, enum setting which, char const **name)
{
    int got = control_line(which, to);

    *name = control_path(which);
    if (got == 0)
        errno = ENOENT;
    return got == 1;
}

/* local@host */
static int
mailbox(stralloc *to, enum setting local, enum setting host, char const **name)
{
    stralloc domain = STRALLOC_ZERO;
    int good = line(to, local, name) && line(&domain, host, name) && stralloc_append(to, '@') &&
               stralloc_catb(to, domain.s, domain.len);

    stralloc_free(&domain);
    return good;
}

int
bounce_settings(struct bounce_settings *b, char const **name)
{
    uint32_t all = 0;
    struct control_number const numbers[] = {
        {SET_bouncemaxbytes, &b->names.maxbytes}, {SET_queuelifetime, &b->lifetime}, {SET_delaynoticeall, &all}};
    int good = control_uints(numbers, sizeof numbers / sizeof *numbers, name);

    b->names.tellall = all != 0;
    return good && line(&b->names.me, SET_me, name) && mailbox(&b->names.from, SET_bouncefrom, SET_bouncehost, name) &&
           mailbox(&b->doubleto, SET_doublebounceto, SET_doublebouncehost, name);
}

int
bounce_confine(void)
{
    /* control/ only to see whether there is a filter */
    static struct confine_path const paths[] = {{"badmail", CONFINE_PATH_READ | CONFINE_PATH_WRITE},
                                                {"control", CONFINE_PATH_READ},
                                                {"run", CONFINE_PATH_READ}};
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_WRITE | CONFINE_UNIX,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = 1u << 29,
        .nofile = 16,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME, /* no call that makes a process is left */
    };

    return confine(&c);
}

/* ---- who gets it ---- */

/* A list's sender "owner-@host-@[]" stands for one per recipient; reports for all of them go to owner-@host. */
int
bounce_addresses(struct bytes sender, struct bounce_settings *b, char const **from)
{
    *from = "";
    if (sender.len == strlen(DOUBLE) && !memcmp(sender.s, DOUBLE, sender.len))
        return 0;
    if (!sender.len) {
        *from = DOUBLE;
        b->names.doubled = 1;
        return stralloc_copy(&b->names.to, &b->doubleto) ? 1 : -1;
    }
    if (sender.len > 4 && !memcmp(sender.s + sender.len - 4, "-@[]", 4))
        sender.len -= 4;
    return stralloc_copyb(&b->names.to, sender.s, sender.len) ? 1 : -1;
}

/* ---- log ---- */

static void
say(char const *event, struct report const *r, char const *key, char const *value)
{
    struct log l;

    log_start(&l, event);
    log_str(&l, "msg", r->id);
    log_uint(&l, "rcpts", r->count);
    log_str(&l, key, value);
    log_end(&l);
}

static int
failed(struct report const *r, char const *what)
{
    struct log l;
    int e = errno;

    log_start(&l, "failed");
    log_str(&l, "msg", r->id);
    log_str(&l, "what", what);
    log_errno(&l, e);
    log_end(&l);
    return EXIT_TEMP;
}

/* ---- through the intake ---- */

static int
into_intake(void *in, char const *s, size_t len)
{
    return intake_data(in, s, len);
}

static int
put_opening(stralloc *to, struct report const *r, stralloc const *rcpt, char const *from)
{
    stralloc token = STRALLOC_ZERO;
    int good = report_token(r, &token) && envelope_put(to, "token", token.s, token.len) &&
               envelope_put(to, "origin", "bounce", 6) && envelope_put(to, "from", from, strlen(from)) &&
               (!(r->eightbit || r->utf8) || envelope_put(to, "body", "8BITMIME", 8)) &&
               (!r->utf8 || envelope_put(to, "smtputf8", "1", 1)) && envelope_put(to, "to", rcpt->s, rcpt->len);

    stralloc_free(&token);
    return good;
}

/* Returns 1 with the answer, or 0 with errno. */
static int
inject(struct report const *r, struct report_names const *names, char const *from, struct intake_answer *answer)
{
    struct intake in = INTAKE_ZERO;
    stralloc opening = STRALLOC_ZERO;
    int good;

    tain_now_set_stopwatch_g();
    tain_addsec_g(&in.deadline, SECONDS);
    good = put_opening(&opening, r, &names->to, from) && intake_open(&in) &&
           intake_begin(&in, (struct bytes){opening.s, opening.len}) && report_write(r, names, into_intake, &in) &&
           intake_end(&in, (struct bytes){"", 0}, answer);
    int e = errno;
    intake_close(&in);
    stralloc_free(&opening);
    stralloc_free(&in.out);
    return (errno = e, good);
}

static int
to_badmail(struct report const *r, char const *why)
{
    if (!badmail_put(r->fd, r->id, why))
        return failed(r, "write badmail");
    say("badmail", r, "why", why);
    return 0;
}

static int
send_report(struct bounce_settings *b, struct report *r, char const *from)
{
    static char const *const events[] = {[OF_FAILURE] = "bounce", [OF_SUCCESS] = "confirm", [OF_DELAY] = "delaynotice"};
    struct intake_answer answer;

    b->names.now = (uint64_t)time(0);
    if (r->arrival)
        b->names.until = r->arrival + b->lifetime;
    if (!report_survey(r, &b->names))
        return failed(r, "read the message");
    if (r->of == OF_DELAY && r->list && !r->asked) /* no person waits for it */
        return 0;
    if (!inject(r, &b->names, from, &answer))
        return failed(r, "hand the report to the intake");
    if (answer.class == 'K') {
        say(b->names.doubled ? "doublebounce" : events[r->of], r, "queued", answer.text);
        return 0;
    }
    if (answer.class == 'D' && r->of != OF_FAILURE) { /* no mail is lost with it */
        say("refused", r, "answer", answer.text);
        return 0;
    }
    if (answer.class == 'D') /* a filter does not want it: keep it for a person */
        return to_badmail(r, answer.text);
    say("deferred", r, "answer", answer.text);
    return EXIT_TEMP;
}

/* Reports are about messages of people: of a report's delay or success nobody hears. */
static int
is_report(struct bytes sender)
{
    return !sender.len || (sender.len == strlen(DOUBLE) && !memcmp(sender.s, DOUBLE, sender.len));
}

int
bounce_run(struct bounce_settings *b, enum report_of of, unsigned int notice, char const *id)
{
    struct report r = REPORT_ZERO;
    char const *why = "";
    char const *from;
    int got, code;

    r.fd = 0;
    r.id = id;
    r.of = of;
    r.notice = notice;
    got = report_read(&r, b->names.tellall, &why);
    if (got == -1)
        code = failed(&r, "read the queue file");
    else if (!got) {
        say("damaged", &r, "why", why);
        code = EXIT_PERM;
    } else if (!r.count || (of != OF_FAILURE && is_report(r.from)))
        code = 0;
    else if ((got = bounce_addresses(r.from, b, &from)) == -1)
        code = failed(&r, "find who gets it");
    else if (!got)
        code = to_badmail(&r, "a report on a report cannot be delivered");
    else
        code = send_report(b, &r, from);
    report_free(&r);
    return code;
}
