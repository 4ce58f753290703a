/* lib/header.c: where a header ends, and what its fields are. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/header.h"
#include "tests/tap.h"

/* fields: name numbers and lengths of bodies; body: what is left of the input. */
static struct {
    char const *in;
    size_t fields;
    int blank;
    char const *body;
} const messages[] = {
    {"To: a\n\nbody\n", 1, 1, "body\n"},
    {"To: a\nCc: b\n\nbody", 2, 1, "body"},
    {"To: a\n b\n\tc\n\nbody\n", 1, 1, "body\n"},
    {"\nbody\n", 0, 1, "body\n"},
    {"\n", 0, 1, ""},
    {"", 0, 0, ""},
    {"To: a", 1, 0, ""},
    {"To: a\n", 1, 0, ""},
    {"To", 0, 0, "To\n"},
    {"To:", 1, 0, ""},
    {"body\n", 0, 0, "body\n"},
    {"hello world\nTo: a\n\n", 0, 0, "hello world\nTo: a\n\n"},
    {"To: a\nhello world\n\nmore\n", 1, 0, "hello world\n\nmore\n"},
    {" To: a\n\nx", 0, 0, " To: a\n\nx"},
    {"\tx\n", 0, 0, "\tx\n"},
    {"From joe Sat Nov 21\nTo: a\n\nx\n", 2, 1, "x\n"},
    {"From: joe\n\nx\n", 1, 1, "x\n"},
    {"From : joe\n\nx\n", 1, 1, "x\n"},
    {"From\tjoe\n\nx\n", 0, 0, "From\tjoe\n\nx\n"},
    {">From joe\n\nx\n", 0, 0, ">From joe\n\nx\n"},
    {": x\n\n", 0, 0, ": x\n\n"},
    {":\n\n", 0, 0, ":\n\n"},
    {"To a: x\n\n", 0, 0, "To a: x\n\n"},
    {"To\t : x\n\n", 1, 1, ""},
    {"T\xc3\xb6: x\n\n", 0, 0, "T\xc3\xb6: x\n\n"},
    {"T\x01: x\n\n", 0, 0, "T\x01: x\n\n"},
    {"X-!#$%^&*(){}[]<>,;'\"/?\\|~=+_: x\n\n", 1, 1, ""},
    {"To: a\n \n\nx\n", 1, 1, "x\n"},
    {"To: a\n\t\nCc: b\n\nx\n", 2, 1, "x\n"},
    {"To:\n a\n\nx", 1, 1, "x"},
    {"http://example.org/ is it\nTo: b\n\nx", 2, 1, "x"},
    {"To: a\n\n\n\nx\n", 1, 1, "\n\nx\n"},
    {"To: a\r\n\nx\n", 1, 1, "x\n"},
    {"To: a\n\r\nx\n", 1, 0, "\r\nx\n"},
};

/* Fed in pieces of that size. */
static int
feed(struct header *h, char const *s, size_t len, size_t piece, stralloc *body)
{
    size_t at = 0, used;
    int r = 0;

    body->len = 0;
    while (at < len && !r) {
        size_t n = len - at < piece ? len - at : piece;
        r = header_feed(h, s + at, n, &used);
        at += used;
    }
    if (r != -1 && !r)
        r = header_finish(h);
    return r == 1 && stralloc_catb(body, h->text.s + h->end, h->text.len - h->end) &&
           stralloc_catb(body, s + at, len - at);
}

static void
test_fields(void)
{
    stralloc body = STRALLOC_ZERO;

    for (unsigned int i = 0; i < sizeof messages / sizeof *messages; i++) {
        char const *in = messages[i].in;
        int good = 1;
        for (size_t piece = 1; piece <= strlen(in) + 1; piece++) {
            struct header h = HEADER_ZERO;
            good &= feed(&h, in, strlen(in), piece, &body) && header_count(&h) == messages[i].fields &&
                    h.blank == messages[i].blank && body.len == strlen(messages[i].body) &&
                    !memcmp(body.s, messages[i].body, body.len);
            header_free(&h);
        }
        ok(good, "header %u, in pieces of any size", i);
    }
    stralloc_free(&body);
}

static struct {
    char const *line;
    int result;
    enum header_name name;
} const names[] = {
    {"To: x\n", 1, HEADER_TO},
    {"tO:\n", 1, HEADER_TO},
    {"Cc : x\n", 1, HEADER_CC},
    {"BCC: x\n", 1, HEADER_BCC},
    {"apparently-to: x\n", 1, HEADER_APPARENTLY_TO},
    {"content-Length: x\n", 1, HEADER_CONTENT_LENGTH},
    {"Date: x\n", 1, HEADER_DATE},
    {"Errors-To: x\n", 1, HEADER_ERRORS_TO},
    {"From: x\n", 1, HEADER_FROM},
    {"From x\n", 1, HEADER_MBOX},
    {"from x\n", 0, HEADER_OTHER},
    {"Mail-Followup-To: x\n", 1, HEADER_MAIL_FOLLOWUP_TO},
    {"Message-Id: x\n", 1, HEADER_MESSAGE_ID},
    {"Reply-To: x\n", 1, HEADER_REPLY_TO},
    {"Resent-To: x\n", 1, HEADER_RESENT_TO},
    {"Resent-Cc: x\n", 1, HEADER_RESENT_CC},
    {"Resent-Bcc: x\n", 1, HEADER_RESENT_BCC},
    {"Resent-From: x\n", 1, HEADER_RESENT_FROM},
    {"Resent-Sender: x\n", 1, HEADER_RESENT_SENDER},
    {"Resent-Reply-To: x\n", 1, HEADER_RESENT_REPLY_TO},
    {"Resent-Date: x\n", 1, HEADER_RESENT_DATE},
    {"Resent-Message-ID: x\n", 1, HEADER_RESENT_MESSAGE_ID},
    {"Return-Path: x\n", 1, HEADER_RETURN_PATH},
    {"Return-Receipt-To: x\n", 1, HEADER_RETURN_RECEIPT_TO},
    {"Sender: x\n", 1, HEADER_SENDER},
    {"Subject: x\n", 1, HEADER_OTHER},
    {"ToX: x\n", 1, HEADER_OTHER},
    {"T: x\n", 1, HEADER_OTHER},
    {"T", -1, HEADER_OTHER},
    {"T ", -1, HEADER_OTHER},
    {"From ", -1, HEADER_OTHER},
    {"", -1, HEADER_OTHER},
    {"T x:", 0, HEADER_OTHER},
    {" T:", 0, HEADER_OTHER},
    {"T\n", 0, HEADER_OTHER},
};

static void
test_names(void)
{
    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++) {
        enum header_name name = HEADER_OTHER;
        size_t body = 0;
        int r = header_scan(names[i].line, strlen(names[i].line), &name, &body);
        ok(r == names[i].result && (r != 1 || (name == names[i].name && body <= strlen(names[i].line))), "name %u", i);
    }
}

static void
test_bounds(void)
{
    struct header h = HEADER_ZERO;
    static char line[4096];
    size_t used;
    int r = 0;

    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 300 && !r; i++)
        r = header_feed(&h, line, sizeof line, &used);
    ok(r == -1 && errno == EMSGSIZE && h.text.len <= HEADER_MAX + sizeof line, "a header above the bound");
    header_free(&h);

    memset(line, 'x', sizeof line);
    r = 0;
    for (int i = 0; i < 300 && !r; i++)
        r = header_feed(&h, line, sizeof line, &used);
    ok(r == -1 && errno == EMSGSIZE, "a name above the bound");
    header_free(&h);

    line[10] = ' ';
    r = header_feed(&h, line, sizeof line, &used);
    ok(r == 1 && used == sizeof line && !h.end && h.text.len == sizeof line, "a long line that is no field");
    header_free(&h);
}

int
main(void)
{
    test_fields();
    test_names();
    test_bounds();
    return tap_done();
}
