/* The text of reports, from queue files in memory. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bounce/bounce.h"
#include "bounce/report.h"
#include "lib/crc.h"
#include "queue/envelope.h"
#include "tests/tap.h"

static stralloc text;
static int tellall; /* of a delay hear those who did not ask, too */

static int
collect(void *data, char const *s, size_t len)
{
    (void)data;
    return stralloc_catb(&text, s, len);
}

/* A queue file: message, envelope, status, log. Returns its descriptor. */
static int
make(char const *message, stralloc const *envelope, char const *status, stralloc const *log)
{
    struct file_header h = {
        .message = strlen(message), .envelope = (uint32_t)envelope->len, .recipients = (uint32_t)strlen(status)};
    char header[FILE_HEADER];
    int fd = memfd_create("queue file", MFD_CLOEXEC);

    h.message_crc = crc32c(0, message, strlen(message));
    h.envelope_crc = crc32c(0, envelope->s, envelope->len);
    file_header_fmt(header, &h);
    (void)!write(fd, header, sizeof header);
    (void)!write(fd, message, strlen(message));
    (void)!write(fd, envelope->s, envelope->len);
    (void)!write(fd, status, strlen(status));
    (void)!write(fd, log->s, log->len);
    return fd;
}

static void
put(stralloc *e, char const *name, char const *value)
{
    envelope_put(e, name, value, strlen(value));
}

static void
event(stralloc *log, char const *to, char const *code, char const *remote, char const *said)
{
    struct file_event e = {.time = 1795000000,
                           .class = 'D',
                           .to = {to, strlen(to)},
                           .code = {code, strlen(code)},
                           .remote = {remote, strlen(remote)},
                           .text = {said, strlen(said)}};

    file_event_put(log, &e);
}

static int
write_report(struct report *r, char const *to, uint32_t maxbytes)
{
    struct report_names n = {.now = 1795000000,
                             .until = 1795600000,
                             .maxbytes = maxbytes,
                             .me = STRALLOC_ZERO,
                             .from = STRALLOC_ZERO,
                             .to = STRALLOC_ZERO};
    char const *why;
    int good;

    stralloc_copys(&n.me, "mx.here.test");
    stralloc_copys(&n.from, "MAILER-DAEMON@here.test");
    stralloc_copys(&n.to, to);
    text.len = 0;
    good = report_read(r, tellall, &why) == 1 && report_survey(r, &n) && report_write(r, &n, collect, 0) &&
           stralloc_0(&text);
    stralloc_free(&n.me);
    stralloc_free(&n.from);
    stralloc_free(&n.to);
    return good;
}

static void
has(char const *what)
{
    ok(strstr(text.s, what) != 0, "has \"%.*s\"", (int)strcspn(what, "\n"), what);
}

static void
lacks(char const *what)
{
    ok(!strstr(text.s, what), "has no \"%.*s\"", (int)strcspn(what, "\n"), what);
}

static void
plain(void)
{
    stralloc e = STRALLOC_ZERO, log = STRALLOC_ZERO;
    struct report r = REPORT_ZERO;

    put(&e, "from", "a@sender.test");
    put(&e, "time", "1794990000");
    put(&e, "envid", "QQ+2B1");
    put(&e, "to", "nobody@far.test");
    put(&e, "orcpt", "rfc822;No+2Dbody@far.test");
    put(&e, "to", "good@far.test");
    put(&e, "to", "odd name@far.test");
    put(&e, "to", "late@slow.test");
    event(&log, "0-3", "4.0.0", "mx.far.test", "first try");
    event(&log, "0,2", "5.1.1", "mx.far.test (192.0.2.1)", "550 5.1.1 no such user\nask somebody\\else\x1b[31m");
    event(&log, "3", "5.4.7", "", "It was tried for too long");
    r.id = "0123456789abcdef0123456789ab";
    r.fd = make("Message-ID: <x@y>\nSubject: hi\n\nbody\n--pneu-\n.\nlast", &e, "FDFF", &log);
    ok(write_report(&r, "a@sender.test", 10000), "a report is written");
    has("From: Mail Delivery System <MAILER-DAEMON@here.test>\nTo: a@sender.test\nSubject: Not delivered: hi\n");
    has("\nIn-Reply-To: <x@y>\nReferences: <x@y>\nAuto-Submitted: auto-replied\n");
    has("report-type=delivery-status");
    has("<nobody@far.test>\n<\"odd name\"@far.test>\n    mx.far.test (192.0.2.1) said:\n    550 5.1.1 no such user\n   "
        " ask somebody\\else\\x1b[31m\n"
        "    -> Check the spelling");
    has("<late@slow.test>\n    It was tried for too long\n    -> ");
    lacks("first try");
    lacks("good@far");
    has("\nReporting-MTA: dns; mx.here.test\nOriginal-Envelope-Id: QQ+1\nArrival-Date: ");
    has("\n\nOriginal-Recipient: rfc822; No-body@far.test\nFinal-Recipient: rfc822; nobody@far.test\nAction: "
        "failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; mx.far.test\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n    ask somebody");
    has("Final-Recipient: rfc822; late@slow.test\nAction: failed\nStatus: 5.4.7\nDiagnostic-Code: x-pneu; It was");
    has("\nContent-Type: message/rfc822\n\nMessage-ID: <x@y>\nSubject: hi\n\nbody\n--pneu-\n.\nlast\n\n--pneu-");
    lacks("8bit");
    close(r.fd);
    report_free(&r);
    stralloc_free(&e);
    stralloc_free(&log);
}

static void
header_only(void)
{
    stralloc e = STRALLOC_ZERO, log = STRALLOC_ZERO;
    struct report r = REPORT_ZERO;
    struct report again;

    put(&e, "from", "a@sender.test");
    put(&e, "smtputf8", "1");
    put(&e, "to", "j\xc3\xb6rg@far.test");
    r.id = "0123456789abcdef0123456789ab";
    r.fd = make("Subject: evil\n Bcc: x\nMessage-ID: <a b>\nX: \xff\n\nbody\n", &e, "F", &log);
    again = r;
    ok(write_report(&r, "a@sender.test", 20), "a large message");
    has("Content-Type: message/global-headers\nContent-Transfer-Encoding: 8bit\n\nSubject: evil\n");
    lacks("body\n");
    has("The reason was not recorded.");
    has("Final-Recipient: utf-8; j\xc3\xb6rg@far.test\nAction: failed\nStatus: 5.0.0\n");
    lacks("In-Reply-To");
    has("\nSubject: Not delivered\n");
    has("report-type=global-delivery-status");
    report_free(&r);
    ok(write_report(&again, "a@sender.test", 20000), "the same, whole");
    has("Content-Type: message/global\n");
    has("\n\nbody\n\n--");
    close(again.fd);
    report_free(&again);
    stralloc_free(&e);
}

static void
many(void)
{
    stralloc e = STRALLOC_ZERO, log = STRALLOC_ZERO, status = STRALLOC_ZERO, first = STRALLOC_ZERO,
             second = STRALLOC_ZERO;
    struct report r = REPORT_ZERO;
    char address[40];

    put(&e, "from", "");
    for (unsigned int i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "u%u@far.test", i);
        put(&e, "to", address);
        stralloc_append(&status, 'F');
        snprintf(address, sizeof address, "%u", i);
        if (i >= 100)
            event(&log, address, "5.1.1", "", "each its own");
    }
    event(&log, "0-99", "5.1.1", "", "all the same");
    stralloc_0(&status);
    r.id = "0123456789abcdef0123456789ab";
    r.fd = make("", &e, status.s, &log);
    ok(write_report(&r, "a@sender.test", 20), "200 failures, no message");
    has("<u49@far.test>\nand 50 more, listed in the second part");
    has("There are more; the second part");
    has("Final-Recipient: rfc822; u199@far.test\n");
    ok(report_token(&r, &first) && first.len < 200, "the token is short");
    r.count--;
    ok(report_token(&r, &second) && (first.len != second.len || memcmp(first.s, second.s, first.len)),
       "and is another for other recipients");
    close(r.fd);
    report_free(&r);
}

/* Three recipients: of whom is told what. */
static void
others(void)
{
    stralloc e = STRALLOC_ZERO, log = STRALLOC_ZERO, token = STRALLOC_ZERO, again = STRALLOC_ZERO;
    struct report r = {.of = OF_SUCCESS}, d = {.of = OF_DELAY, .notice = 2};

    put(&e, "from", "a@sender.test");
    put(&e, "to", "here@here.test");
    put(&e, "notify", "SUCCESS");
    put(&e, "orcpt", "rfc822;h@here.test");
    put(&e, "to", "far@far.test");
    put(&e, "notify", "SUCCESS,DELAY");
    put(&e, "to", "late@slow.test");
    put(&e, "notify", "DELAY");
    put(&e, "to", "silent@slow.test");
    put(&e, "to", "never@slow.test");
    put(&e, "notify", "NEVER");
    event(&log, "0", "2.0.0", "", "did 1+0+0");
    event(&log, "1", "2.0.0", "mx.far.test (192.0.2.1)", "250 2.0.0 queued");
    event(&log, "2-4", "4.2.2", "mx.slow.test (192.0.2.2)", "452 4.2.2 mailbox full");
    r.id = d.id = "0123456789abcdef0123456789ab";
    r.fd = d.fd = make("Subject: hi\nPrecedence: bulk\n\nbody\n", &e, "SSTTT", &log);
    ok(write_report(&r, "a@sender.test", 10000), "a report of success is written");
    has("\nSubject: Delivered: hi\n");
    has("\n\nOriginal-Recipient: rfc822; h@here.test\nFinal-Recipient: rfc822; here@here.test\nAction: "
        "delivered\nStatus: 2.0.0\n");
    has("Final-Recipient: rfc822; far@far.test\nAction: relayed\nStatus: 2.0.0\nRemote-MTA: dns; mx.far.test\n");
    lacks("slow.test");
    lacks("given up");
    lacks("body");
    has("text/rfc822-headers");
    ok(write_report(&d, "a@sender.test", 10000), "a report of delay is written");
    has("\nSubject: Not delivered yet: hi\n");
    has("Final-Recipient: rfc822; late@slow.test\nAction: delayed\nStatus: 4.2.2\n");
    has("\nWill-Retry-Until: ");
    lacks("silent");
    lacks("never");
    lacks("far.test");
    ok(d.count == 1 && d.asked && d.list, "one recipient, who asked, though it is bulk");
    ok(report_token(&d, &token) && report_token(&r, &again) &&
           !strncmp(token.s, "delay 0123456789abcdef0123456789ab 2", token.len) && again.len > token.len &&
           !memcmp(again.s, "confirm ", 8),
       "each has its token");
    report_free(&d);
    d = (struct report){.of = OF_DELAY, .notice = 2, .fd = r.fd, .id = r.id};
    tellall = 1;
    ok(write_report(&d, "a@sender.test", 10000) && d.count == 2, "all who did not say no are told where that is set");
    has("Final-Recipient: rfc822; silent@slow.test\nAction: delayed\n");
    lacks("never");
    tellall = 0;
    close(r.fd);
    report_free(&r);
    report_free(&d);
    stralloc_free(&e);
    stralloc_free(&log);
    stralloc_free(&token);
    stralloc_free(&again);
}

static void
addresses(void)
{
    static struct {
        char const *sender, *from, *to;
        int way;
    } const table[] = {{"a@b", "", "a@b", 1},
                       {"", "#@[]", "postmaster@here", 1},
                       {"#@[]", "", "", 0},
                       {"own-@h-@[]", "", "own-@h", 1}};

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        struct bounce_settings b = BOUNCE_SETTINGS_ZERO;
        char const *from;
        int way;
        stralloc_copys(&b.doubleto, "postmaster@here");
        way = bounce_addresses((struct bytes){table[i].sender, strlen(table[i].sender)}, &b, &from);
        stralloc_0(&b.names.to);
        ok(way == table[i].way && !strcmp(from, table[i].from) && !strcmp(b.names.to.s, table[i].to), "sender <%s>",
           table[i].sender);
    }
}

int
main(void)
{
    plain();
    header_only();
    many();
    others();
    addresses();
    return tap_done();
}
