/* lib/smtp: replies, also hostile ones, in one piece and byte by byte; EHLO; enhanced codes. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/smtp.h"
#include "tests/tap.h"

struct row {
    char const *in;
    int code; /* 0: more is needed; -EPROTO, -EMSGSIZE */
    char const *text;
    char const *left; /* what belongs to the next reply */
};

static struct row const rows[] = {
    {"220 mx.example.org ESMTP\r\n", 220, "mx.example.org ESMTP", ""},
    {"220\r\n", 220, "", ""},
    {"220\n", 220, "", ""},
    {"220 \r\n", 220, "", ""},
    {"220-\r\n220 \r\n", 220, "\n", ""},
    {"250-a\r\n250-b\r\n250 c\r\n", 250, "a\nb\nc", ""},
    {"250-a\n250-b\n250 c\n", 250, "a\nb\nc", ""},
    {"250-a\r\n250-b\r\n250\r\n", 250, "a\nb\n", ""},
    {"250 ok\r\n250 next\r\n", 250, "ok", "250 next\r\n"},
    {"250 ok\r\n354 go\r\n", 250, "ok", "354 go\r\n"},
    {"250 ok\n\r\n", 250, "ok", "\r\n"},
    {"354 go ahead\r\n", 354, "go ahead", ""},
    {"421 4.7.0 bye\r\n", 421, "4.7.0 bye", ""},
    {"550 5.1.1 <x>: no\r\n", 550, "5.1.1 <x>: no", ""},
    {"599 x\r\n", 599, "x", ""},
    {"200 x\r\n", 200, "x", ""},
    {"555  two blanks\r\n", 555, " two blanks", ""},
    {"250 tab\there\r\n", 250, "tab\there", ""},
    {"250 a\rb\r\n", 250, "a\rb", ""},
    {"250 a\r\rb\r\n", 250, "a\r\rb", ""},
    {"250 a\r\r\n", 250, "a\r", ""},
    {"250 \r\r\n", 250, "\r", ""},
    {"250 esc\033[2J\r\n", 250, "esc\033[2J", ""},
    {"250 \xff\xfe\x80\r\n", 250, "\xff\xfe\x80", ""},
    {"250 caf\xc3\xa9\r\n", 250, "caf\xc3\xa9", ""},
    {"250-250 trick\r\n250 end\r\n", 250, "250 trick\nend", ""},
    {"250-550 no\r\n250 end\r\n", 250, "550 no\nend", ""},
    {"250--x\r\n250 -y\r\n", 250, "-x\n-y", ""},
    {"250 $(id) `id` %n%s ; rm -rf /\r\n", 250, "$(id) `id` %n%s ; rm -rf /", ""},
    {"452 4.5.3 too many\r\n", 452, "4.5.3 too many", ""},
    {"221 2.0.0 Bye\r\nrest", 221, "2.0.0 Bye", "rest"},
    /* not whole */
    {"", 0, "", ""},
    {"2", 0, "", ""},
    {"25", 0, "", ""},
    {"250", 0, "", ""},
    {"250 ", 0, "", ""},
    {"250 ok", 0, "ok", ""},
    {"250 ok\r", 0, "ok", ""},
    {"250-", 0, "", ""},
    {"250-ok", 0, "ok", ""},
    {"250-ok\r\n", 0, "ok", ""},
    {"250-ok\r\n2", 0, "ok", ""},
    {"250-ok\r\n250", 0, "ok", ""},
    {"250-ok\r\n250-", 0, "ok\n", ""},
    {"250-ok\r\n250 x\r", 0, "ok\nx", ""},
    /* not SMTP */
    {"\r\n", -EPROTO, 0, 0},
    {"\n", -EPROTO, 0, 0},
    {" 250 ok\r\n", -EPROTO, 0, 0},
    {"000 x\r\n", -EPROTO, 0, 0},
    {"100 x\r\n", -EPROTO, 0, 0},
    {"150 x\r\n", -EPROTO, 0, 0},
    {"199 x\r\n", -EPROTO, 0, 0},
    {"600 x\r\n", -EPROTO, 0, 0},
    {"900 x\r\n", -EPROTO, 0, 0},
    {"25 ok\r\n", -EPROTO, 0, 0},
    {"2 ok\r\n", -EPROTO, 0, 0},
    {"2500 ok\r\n", -EPROTO, 0, 0},
    {"250x\r\n", -EPROTO, 0, 0},
    {"250.ok\r\n", -EPROTO, 0, 0},
    {"250\tok\r\n", -EPROTO, 0, 0},
    {"250_ok\r\n", -EPROTO, 0, 0},
    {"250,ok\r\n", -EPROTO, 0, 0},
    {"250+ok\r\n", -EPROTO, 0, 0},
    {"25a ok\r\n", -EPROTO, 0, 0},
    {"a50 ok\r\n", -EPROTO, 0, 0},
    {"2a0 ok\r\n", -EPROTO, 0, 0},
    {"-250 ok\r\n", -EPROTO, 0, 0},
    {"+250 ok\r\n", -EPROTO, 0, 0},
    {"2 50 ok\r\n", -EPROTO, 0, 0},
    {"2-0 ok\r\n", -EPROTO, 0, 0},
    {"2\n50 ok\r\n", -EPROTO, 0, 0},
    {"25\r\n", -EPROTO, 0, 0},
    {"HTTP/1.1 400 Bad Request\r\n", -EPROTO, 0, 0},
    {"SSH-2.0-OpenSSH_9.2\r\n", -EPROTO, 0, 0},
    {"* OK IMAP4rev1\r\n", -EPROTO, 0, 0},
    {"+OK POP3\r\n", -EPROTO, 0, 0},
    {"\x16\x03\x01\x02", -EPROTO, 0, 0},
    {"\xff\xfb\x01", -EPROTO, 0, 0},
    {"\xc2\xb2"
     "50 ok\r\n",
     -EPROTO, 0, 0},
    /* lines that do not belong together */
    {"250-a\r\n550 b\r\n", -EPROTO, 0, 0},
    {"550-a\r\n250 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n251 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n350 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n260 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n b\r\n", -EPROTO, 0, 0},
    {"250-a\r\nb\r\n", -EPROTO, 0, 0},
    {"250-a\r\n\r\n", -EPROTO, 0, 0},
    {"250-a\r\n-b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n25\r\n", -EPROTO, 0, 0},
    {"250-a\r\n250b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n\n250 b\r\n", -EPROTO, 0, 0},
    {"250-a\n\r250 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n250-b\r\n250-c\r\n220 d\r\n", -EPROTO, 0, 0},
    {"250-a\r\n354 go\r\n", -EPROTO, 0, 0},
    {"250-a\r\n421 bye\r\n", -EPROTO, 0, 0},
    {"354-a\r\n250 b\r\n", -EPROTO, 0, 0},
    {"250-a\r\n1250 b\r\n", -EPROTO, 0, 0},
    {"220-a\r\n220-b\r\n 220 c\r\n", -EPROTO, 0, 0},
    {"220-a\r\n220\tb\r\n", -EPROTO, 0, 0},
};

static struct smtp_reply reply;

static int
feed(char const *s, size_t len, size_t piece, size_t *used)
{
    int code = 0;

    smtp_reply_reset(&reply);
    for (*used = 0; !code && *used < len;) {
        struct bytes in = {s + *used, len - *used < piece ? len - *used : piece};
        size_t before = in.len;
        code = smtp_reply(&reply, &in);
        *used += before - in.len;
    }
    return code == -1 ? -errno : code;
}

static void
test_rows(size_t piece)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct row const *r = rows + i;
        size_t used;
        int code = feed(r->in, strlen(r->in), piece, &used);
        int good = code == r->code;
        if (code >= 0)
            good = good && reply.len == strlen(r->text) && !memcmp(reply.text, r->text, reply.len) &&
                   !strcmp(r->in + used, r->left);
        ok(good, "reply %zu in pieces of %zu", i, piece);
    }
}

static void
test_limits(void)
{
    static char big[SMTP_REPLY_MAX * 2];
    struct bytes again = {"250 x\r\n", 7};
    size_t len = 0, used;

    for (int i = 0; i < SMTP_REPLY_LINES - 1; i++, len += 7)
        memcpy(big + len, "250-a\r\n", 7);
    memcpy(big + len, "250 a\r\n", 7);
    ok(feed(big, len + 7, 1000, &used) == 250, "as many lines as may be");
    for (int i = 0; i < SMTP_REPLY_LINES; i++)
        memcpy(big + i * 7, "250-a\r\n", 7);
    ok(feed(big, SMTP_REPLY_LINES * 7, 1000, &used) == -EMSGSIZE, "one line more");
    ok(smtp_reply(&reply, &again) == -1 && errno == EMSGSIZE && again.len == 7, "and no further");
    memset(big, 'x', sizeof big);
    memcpy(big, "250 ", 4);
    ok(feed(big, sizeof big, 4096, &used) == -EMSGSIZE && used <= SMTP_REPLY_MAX + 1, "a line without an end");
    big[SMTP_REPLY_MAX - 2] = '\r', big[SMTP_REPLY_MAX - 1] = '\n';
    ok(feed(big, SMTP_REPLY_MAX, 777, &used) == 250 && reply.len == SMTP_TEXT_MAX, "the longest line; its text is cut");
    ok(feed("250 a\0b\r\n", 9, 1, &used) == 250 && reply.len == 3, "NUL is a byte of the text");
    ok(feed("2\0", 2, 1, &used) == -EPROTO, "but not of the code");
}

static void
test_features(void)
{
    static struct {
        char const *text;
        unsigned int has;
        uint64_t size;
    } const table[] = {
        {"mx.example.org", 0, 0},
        {"PIPELINING", 0, 0},
        {"mx\nPIPELINING", SMTP_PIPELINING, 0},
        {"mx\npipelining\nSize 1000\n8bitmime", SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME, 1000},
        {"mx\nSIZE", SMTP_SIZE, 0},
        {"mx\nSIZE 0", SMTP_SIZE, 0},
        {"mx\nSIZE x", SMTP_SIZE, 0},
        {"mx\nSIZE -1", SMTP_SIZE, 0},
        {"mx\nSIZE 99999999999999999999", SMTP_SIZE, 0},
        {"mx\nSIZE 9999999999999999999", SMTP_SIZE, 9999999999999999999u},
        {"mx\n  SIZE   77  ", SMTP_SIZE, 77},
        {"mx\nSIZE=1000", 0, 0},
        {"mx\nSIZES 5\nXSIZE 5", 0, 0},
        {"mx\nPIPELININGX\nX PIPELINING", 0, 0},
        {"mx\n\n\nDSN\n", SMTP_DSN, 0},
        {"mx\nSMTPUTF8\nENHANCEDSTATUSCODES\nSTARTTLS\nCHUNKING\nBINARYMIME\nREQUIRETLS\nAUTH PLAIN LOGIN",
         SMTP_SMTPUTF8 | SMTP_ENHANCED | SMTP_STARTTLS | SMTP_CHUNKING | SMTP_BINARYMIME | SMTP_REQUIRETLS | SMTP_AUTH,
         0},
        {"mx\nAUTH=PLAIN", 0, 0},
        {"", 0, 0},
        {"\n", 0, 0},
        {"mx\n\tDSN", SMTP_DSN, 0},
    };
    struct smtp_features f;
    char const limits[] = "mx\nLIMITS MAILMAX=5 RCPTMAX=20 X=1 RCPTDOMAINMAX=1";
    char const wrong[] = "mx\nLIMITS RCPTMAX=0 MAILMAX=99999999999 RCPTMAX= MAILMAX=-1";

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        smtp_features(table[i].text, strlen(table[i].text), &f);
        ok(f.has == table[i].has && f.size == table[i].size, "EHLO %zu", i);
    }
    smtp_features(limits, strlen(limits), &f);
    ok(f.rcptmax == 20 && f.mailmax == 5, "LIMITS");
    smtp_features(wrong, strlen(wrong), &f);
    ok(!f.rcptmax && !f.mailmax, "LIMITS that are none");
}

static void
test_enhanced(void)
{
    static struct {
        unsigned int code;
        char const *text, *want;
        size_t own;
    } const table[] = {
        {550, "5.1.1 no such user", "5.1.1", 6},
        {550, "no such user", "5.0.0", 0},
        {450, "5.1.1 lies", "4.0.0", 0},
        {250, "2.0.0 ok", "2.0.0", 6},
        {250, "2.0.0", "2.0.0", 5},
        {550, "5.7.26\nmore", "5.7.26", 6},
        {550, "5.123.123 x", "5.123.123", 10},
        {550, "5.1234.1 x", "5.0.0", 0},
        {550, "5.1.1234 x", "5.0.0", 0},
        {550, "5.1.1x", "5.0.0", 0},
        {550, "5.1.", "5.0.0", 0},
        {550, "5.1", "5.0.0", 0},
        {550, "5.", "5.0.0", 0},
        {550, "5", "5.0.0", 0},
        {550, "", "5.0.0", 0},
        {550, "5.01.1 x", "5.0.0", 0},
        {550, "5..1 x", "5.0.0", 0},
        {550, "5.1.1\tx", "5.0.0", 0},
        {421, "4.7.0 x", "4.7.0", 6},
    };
    char to[SMTP_ENHANCED_MAX];
    size_t own;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = smtp_enhanced(table[i].code, table[i].text, strlen(table[i].text), to, &own);
        ok(n == strlen(table[i].want) && !memcmp(to, table[i].want, n) && own == table[i].own, "enhanced %zu", i);
    }
}

int
main(void)
{
    test_rows(1000);
    test_rows(1);
    test_rows(3);
    test_limits();
    test_features();
    test_enhanced();
    return tap_done();
}
