/* The text of a report. */

#include "bounce/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/addr.h"
#include "lib/date.h"

/* What the first part names; the second part names all. */
#define REPLIES 20
#define LISTED 50     /* recipients of one reply */
#define LINE_MOST 900 /* bytes of a logged text: lines of a message end below 998 */

struct out {
    stralloc text;
    report_put *put;
    void *data;
    int failed; /* errno */
};

static void
flush(struct out *o)
{
    if (!o->failed && o->text.len && !o->put(o->data, o->text.s, o->text.len))
        o->failed = errno ? errno : EIO;
    o->text.len = 0;
}

static void
bytes(struct out *o, char const *s, size_t len)
{
    if (o->failed)
        return;
    if (!stralloc_catb(&o->text, s, len))
        o->failed = ENOMEM;
    else if (o->text.len > 32768)
        flush(o);
}

static void
say(struct out *o, char const *s)
{
    bytes(o, s, strlen(s));
}

static void
all(struct out *o, stralloc const *s)
{
    bytes(o, s->s, s->len);
}

static void
number(struct out *o, uint64_t n)
{
    char digits[UINT64_FMT];

    bytes(o, digits, uint64_fmt(digits, n));
}

static void
date(struct out *o, char const *field, uint64_t seconds)
{
    char s[DATE_SIZE];

    say(o, field);
    bytes(o, s, date_fmt(s, seconds, 0));
    say(o, "\n");
}

/* ---- what the log says ---- */

static int
hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
report_unescape(stralloc *to, struct bytes text, char const *newline, int utf8)
{
    for (size_t i = 0; i < text.len; i++) {
        int good;
        if (text.s[i] == '\\' && i + 3 < text.len && text.s[i + 1] == 'x' && hex(text.s[i + 2]) >= 0 &&
            hex(text.s[i + 3]) >= 0) {
            unsigned char c = (unsigned char)(hex(text.s[i + 2]) << 4 | hex(text.s[i + 3]));
            if (c == '\n')
                good = stralloc_cats(to, newline);
            else if (c == '\\' || c == ' ' || (utf8 && c > 0x7f))
                good = stralloc_append(to, (char)c);
            else
                good = stralloc_catb(to, text.s + i, 4);
            i += 3;
        } else
            good = stralloc_append(to, text.s[i]);
        if (!good)
            return 0;
    }
    return 1;
}

static void
unescaped(struct out *o, struct bytes text, char const *newline, int utf8)
{
    if (text.len > LINE_MOST)
        text.len = LINE_MOST;
    if (!o->failed && !report_unescape(&o->text, text, newline, utf8))
        o->failed = ENOMEM;
}

static struct file_event const *
event_of(struct report const *r, struct owed const *w)
{
    return w->event < r->nevents ? r->events + w->event : 0;
}

/* An enhanced status code of the class that belongs to the report, or X.0.0 (RFC 3463 section 2). */
static struct bytes
status_of(struct report const *r, struct file_event const *e)
{
    static char const *const plain[] = {[OF_FAILURE] = "5.0.0", [OF_SUCCESS] = "2.0.0", [OF_DELAY] = "4.0.0"};
    struct bytes none = {plain[r->of], 5};
    unsigned int dots = 0;

    if (!e || e->code.len < 5 || e->code.len > 11 || e->code.s[0] != *none.s || e->code.s[1] != '.')
        return none;
    for (size_t i = 0; i < e->code.len; i++)
        if (e->code.s[i] == '.')
            dots++;
        else if (e->code.s[i] < '0' || e->code.s[i] > '9')
            dots = 3;
    return dots == 2 ? e->code : none;
}

/* RFC 3464 section 2.3.3. What another host has taken, and does not report on itself, was relayed. */
static char const *
action_of(struct report const *r, struct file_event const *e)
{
    static char const *const words[] = {[OF_FAILURE] = "failed", [OF_SUCCESS] = "delivered", [OF_DELAY] = "delayed"};
    static char const expanded[] = "expanded";

    if (r->of == OF_SUCCESS && e && e->remote.len)
        return "relayed";
    if (r->of == OF_SUCCESS && e && e->text.len >= 8 && !memcmp(e->text.s, expanded, 8))
        return expanded;
    return words[r->of];
}

/* An address in the wire's form; one that SMTP cannot say, with its odd bytes as '?'. */
static void
address(struct out *o, char const *s, size_t len)
{
    stralloc quoted = STRALLOC_ZERO;

    if (addr_quote(&quoted, s, len))
        all(o, &quoted);
    else
        for (size_t i = 0; i < len; i++)
            bytes(o, s[i] > 0x20 && s[i] != 0x7f ? s + i : "?", 1);
    stralloc_free(&quoted);
}

/* ---- the first part, for people ---- */

static char const *
advice(struct bytes code)
{
    static struct {
        char const *prefix, *text;
    } const table[] = {
        {"5.1.1", "Check the spelling of the address, or ask the recipient another way whether it still exists."},
        {"5.1.", "Check the address, above all what stands behind the @."},
        {"5.2.1", "The mailbox does not take mail now. Ask the recipient another way."},
        {"5.2.2", "The mailbox is full. Try again when the recipient had time to make room."},
        {"5.2.3", "Make the message smaller, for example without its attachments."},
        {"5.3.4", "Make the message smaller, for example without its attachments."},
        {"5.4.6", "The message goes round in a circle. Tell the postmaster of the recipient's domain."},
        {"5.4.7",
         "The recipient's system could not be reached for a long time. If the address is right, try again later."},
        {"5.4.", "The recipient's system cannot be reached. Check the address, or try again later."},
        {"5.7.",
         "The recipient's system does not want this message. Its reply above may say why; its postmaster knows."},
        {"", "The reply above says why. If it does not help you, ask the postmaster of the recipient's domain."},
    };
    unsigned int i = 0;

    while (strncmp(code.s, table[i].prefix, strlen(table[i].prefix)) != 0)
        i++;
    return table[i].text;
}

static void
reason(struct out *o, struct file_event const *e)
{
    if (!e) {
        say(o, "    The reason was not recorded.\n");
        return;
    }
    if (e->remote.len) {
        say(o, "    ");
        unescaped(o, e->remote, " ", 0);
        say(o, " said:\n");
    }
    say(o, "    ");
    unescaped(o, e->text, "\n    ", 0);
    say(o, "\n");
}

/* All recipients of one reply, then the reply. */
static void
one_reply(struct out *o, struct report const *r, uint32_t first)
{
    struct file_event const *e = event_of(r, r->owed + first);
    struct bytes code = status_of(r, e);
    char digits[16];
    uint32_t n = 0;

    for (uint32_t i = first; i < r->count; i++)
        if (r->owed[i].event == r->owed[first].event && n++ < LISTED) {
            say(o, "<");
            address(o, r->owed[i].address.s, r->owed[i].address.len);
            say(o, ">\n");
        }
    if (n > LISTED) {
        say(o, "and ");
        number(o, n - LISTED);
        say(o, " more, listed in the second part of this message\n");
    }
    reason(o, e);
    memcpy(digits, code.s, code.len);
    digits[code.len] = 0;
    if (e && r->of == OF_FAILURE) {
        say(o, "    -> ");
        say(o, advice((struct bytes){digits, code.len}));
        say(o, "\n");
    }
    say(o, "\n");
}

static void
human(struct out *o, struct report const *r, struct report_names const *n)
{
    static char const *const first[] = {
        [OF_FAILURE] = ".\n\nYour message could not be delivered to:\n\n",
        [OF_SUCCESS] =
            (".\n\nAs you asked to be told: your message was delivered, or handed on to a system that sends no such\n"
             "report, for:\n\n"),
        [OF_DELAY] = ".\n\nYour message could not be delivered yet to:\n\n"};
    unsigned int replies = 0;

    say(o, "This is the mail system of ");
    all(o, &n->me);
    say(o, n->doubled ? ".\n\nA report that a message was not delivered could itself not be delivered to:\n\n"
                      : first[r->of]);
    for (uint32_t i = 0; i < r->count && replies <= REPLIES; i++) {
        uint32_t earlier = 0; /* a reply is told with the first recipient it is for */
        if (i && r->owed[i].event == r->owed[i - 1].event)
            continue;
        while (earlier < i && r->owed[earlier].event != r->owed[i].event)
            earlier++;
        if (earlier == i && ++replies <= REPLIES)
            one_reply(o, r, i);
    }
    if (replies > REPLIES)
        say(o, "There are more; the second part of this message lists all.\n\n");
    if (r->of == OF_FAILURE) {
        say(o, "It has been given up: nothing more will be tried for ");
        say(o, r->count == 1 ? "this address.\n" : "these addresses.\n");
    } else if (r->of == OF_DELAY) {
        say(o, "You need not do anything: it will be tried again");
        if (n->until)
            date(o, " until\n", n->until);
        else
            say(o, ".\n");
    }
    say(o, r->whole ? "Your message is attached.\n" : "The header of your message is attached.\n");
}

/* ---- the second part, for programs ---- */

/* xtext (RFC 3461 section 4): "+2B" is a plus. Only what may stand in a field comes out; else nothing. */
static int
unxtext(stralloc *to, char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c == '+') {
            int high, low;
            if (i + 2 >= len)
                return 0;
            high = s[i + 1] >= 'A' && s[i + 1] <= 'F' ? s[i + 1] - 'A' + 10 : hex(s[i + 1]);
            low = s[i + 2] >= 'A' && s[i + 2] <= 'F' ? s[i + 2] - 'A' + 10 : hex(s[i + 2]);
            if (high < 0 || low < 0)
                return 0;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c < 0x20 || c > 0x7e || !stralloc_append(to, c))
            return 0;
    }
    return 1;
}

/* "rfc822;joe@example.org": the type is a word, the rest xtext. */
static void
original_recipient(struct out *o, struct bytes orcpt)
{
    char const *semicolon = !orcpt.len ? 0 : memchr(orcpt.s, ';', orcpt.len);
    stralloc text = STRALLOC_ZERO;
    size_t type;

    if (!semicolon || semicolon == orcpt.s)
        return;
    type = (size_t)(semicolon - orcpt.s);
    for (size_t i = 0; i < type; i++)
        if (orcpt.s[i] <= 0x20 || orcpt.s[i] > 0x7e)
            return;
    if (unxtext(&text, semicolon + 1, orcpt.len - type - 1)) {
        say(o, "Original-Recipient: ");
        bytes(o, orcpt.s, type + 1);
        say(o, " ");
        all(o, &text);
        say(o, "\n");
    }
    stralloc_free(&text);
}

static void
event_fields(struct out *o, struct file_event const *e)
{
    size_t host;

    if (e->remote.len) {
        /* "mx.example.org (192.0.2.1)" */
        host = e->remote.len;
        for (size_t i = 0; i < host; i++)
            if (e->remote.s[i] == ' ' || e->remote.s[i] == '\\')
                host = i;
        if (host) {
            say(o, "Remote-MTA: dns; ");
            bytes(o, e->remote.s, host);
            say(o, "\n");
        }
    }
    if (e->text.len) {
        say(o, e->remote.len ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: x-pneu; ");
        unescaped(o, e->text, "\n    ", 0);
        say(o, "\n");
    }
    date(o, "Last-Attempt-Date: ", e->time);
}

static void
status(struct out *o, struct report const *r, struct report_names const *n)
{
    stralloc envid = STRALLOC_ZERO;

    say(o, "Reporting-MTA: dns; ");
    all(o, &n->me);
    say(o, "\n");
    if (r->envid.len && unxtext(&envid, r->envid.s, r->envid.len)) {
        say(o, "Original-Envelope-Id: ");
        all(o, &envid);
        say(o, "\n");
    }
    stralloc_free(&envid);
    if (r->arrival)
        date(o, "Arrival-Date: ", r->arrival);
    say(o, "X-Pneu-Queue-ID: ");
    say(o, r->id);
    say(o, "\n");
    for (uint32_t i = 0; i < r->count; i++) {
        struct owed const *w = r->owed + i;
        struct file_event const *e = event_of(r, w);
        struct bytes code = status_of(r, e);
        say(o, "\n");
        original_recipient(o, w->orcpt);
        say(o, r->utf8 ? "Final-Recipient: utf-8; " : "Final-Recipient: rfc822; ");
        address(o, w->address.s, w->address.len);
        say(o, "\nAction: ");
        say(o, action_of(r, e));
        say(o, "\nStatus: ");
        bytes(o, code.s, code.len);
        say(o, "\n");
        if (e)
            event_fields(o, e);
        if (r->of == OF_DELAY && n->until)
            date(o, "Will-Retry-Until: ", n->until);
    }
}

/* ---- the third part ---- */

static void
original(struct out *o, struct report const *r)
{
    char block[16384];
    char last = '\n';

    flush(o);
    for (uint64_t at = 0; at < r->returned && !o->failed;) {
        size_t want = r->returned - at < sizeof block ? (size_t)(r->returned - at) : sizeof block;
        ssize_t n = pread(r->fd, block, want, FILE_HEADER + (off_t)at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            o->failed = n == -1 ? errno : EPROTO;
            return;
        }
        bytes(o, block, (size_t)n);
        last = block[n - 1];
        at += (uint64_t)n;
    }
    if (last != '\n')
        say(o, "\n");
}

/* ---- all of it ---- */

static void
part(struct out *o, struct report const *r, char const *type, int eightbit)
{
    say(o, "\n--");
    say(o, r->boundary);
    say(o, "\nContent-Type: ");
    say(o, type);
    say(o, eightbit ? "\nContent-Transfer-Encoding: 8bit\n\n" : "\n\n");
}

static void
header(struct out *o, struct report const *r, struct report_names const *n)
{
    static char const *const subjects[] = {[OF_FAILURE] = "\nSubject: Not delivered",
                                           [OF_SUCCESS] = "\nSubject: Delivered",
                                           [OF_DELAY] = "\nSubject: Not delivered yet"};

    say(o, "From: Mail Delivery System <");
    all(o, &n->from);
    say(o, ">\nTo: ");
    address(o, n->to.s, n->to.len);
    say(o, n->doubled ? "\nSubject: Undeliverable report" : subjects[r->of]);
    if (r->subject.len) {
        say(o, ": ");
        all(o, &r->subject);
    }
    date(o, "\nDate: ", n->now);
    say(o, "Message-ID: <");
    say(o, r->boundary);
    say(o, "@");
    all(o, &n->me);
    say(o, ">\n");
    if (r->messageid.len) {
        say(o, "In-Reply-To: ");
        all(o, &r->messageid);
        say(o, "\nReferences: ");
        all(o, &r->messageid);
        say(o, "\n");
    }
    say(o, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=");
    say(o, r->utf8 ? "global-delivery-status" : "delivery-status");
    say(o, ";\n    boundary=\"");
    say(o, r->boundary);
    say(o, "\"\n");
    if (r->eightbit || r->utf8)
        say(o, "Content-Transfer-Encoding: 8bit\n");
}

int
report_write(struct report const *r, struct report_names const *n, report_put *put, void *data)
{
    struct out o = {.text = STRALLOC_ZERO, .put = put, .data = data};
    char const *third = r->whole ? "message/rfc822" : "text/rfc822-headers";

    if (r->utf8)
        third = r->whole ? "message/global" : "message/global-headers";
    header(&o, r, n);
    say(&o, "\nThis is a delivery report in three parts (RFC 3464).\n");
    part(&o, r, "text/plain; charset=utf-8", r->utf8);
    human(&o, r, n);
    part(&o, r, r->utf8 ? "message/global-delivery-status" : "message/delivery-status", r->utf8);
    status(&o, r, n);
    part(&o, r, third, r->eightbit);
    original(&o, r);
    say(&o, "\n--");
    say(&o, r->boundary);
    say(&o, "--\n");
    flush(&o);
    stralloc_free(&o.text);
    return !o.failed ? 1 : (errno = o.failed, 0);
}
