/* Lines of dot-qmail files, and the quoting of an mbox. */

#include <stdlib.h>
#include <string.h>

#include <skalibs/buffer.h>
#include <skalibs/stralloc.h>

#include "local/delivery.h"
#include "local/dotqmail.h"
#include "local/program.h"
#include "local/quoting.h"
#include "local/search.h"
#include "tests/tap.h"

static void
lines(void)
{
    static struct {
        char const *text;
        enum dotqmail type;
        char const *rest;
    } const rows[] = {
        {"# comment", DOTQMAIL_COMMENT, "# comment"},
        {"", DOTQMAIL_BLANK, ""},
        {" \t ", DOTQMAIL_BLANK, ""},
        {"|preline vacation", DOTQMAIL_PROGRAM, "preline vacation"},
        {"|", DOTQMAIL_PROGRAM, ""},
        {"| a \t", DOTQMAIL_PROGRAM, " a"},
        {"&me@example.org", DOTQMAIL_FORWARD, "me@example.org"},
        {"me@example.org", DOTQMAIL_FORWARD, "me@example.org"},
        {"0me", DOTQMAIL_FORWARD, "0me"},
        {" me", DOTQMAIL_FORWARD, " me"},
        {"&", DOTQMAIL_BAD, ""},
        {"&a\rb", DOTQMAIL_BAD, "a\rb"},
        {"&a\x7f", DOTQMAIL_BAD, "a\x7f"},
        {"./Maildir/", DOTQMAIL_MAILDIR, "./Maildir/"},
        {"./Maildir/  ", DOTQMAIL_MAILDIR, "./Maildir/"},
        {"/", DOTQMAIL_MAILDIR, "/"},
        {".", DOTQMAIL_MBOX, "."},
        {"./mbox", DOTQMAIL_MBOX, "./mbox"},
        {"/var/mail/joe", DOTQMAIL_MBOX, "/var/mail/joe"},
        {"+list", DOTQMAIL_LIST, "+list"},
        {"+lists", DOTQMAIL_COMMENT, "+lists"},
        {"+", DOTQMAIL_COMMENT, "+"},
    };

    for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int ended = 0; ended < 2; ended++) {
            char text[100];
            struct dotqmail_line line = {.number = 0};
            size_t len = strlen(rows[i].text);
            memcpy(text, rows[i].text, len);
            text[len] = '\n';
            struct bytes cursor = {text, len + (size_t)ended};
            if (!cursor.len)
                continue;
            ok(dotqmail_next(&cursor, &line) == 1 && line.number == 1 && line.type == rows[i].type &&
                   line.text.len == strlen(rows[i].rest) && !memcmp(line.text.s, rows[i].rest, line.text.len) &&
                   !cursor.len && !dotqmail_next(&cursor, &line),
               "line \"%s\"%s", rows[i].text, ended ? "" : " without its end");
        }

    struct bytes three = {"a\n\n./b/\n", 8};
    struct dotqmail_line line = {.number = 0};
    ok(dotqmail_next(&three, &line) && line.type == DOTQMAIL_FORWARD, "the first of three");
    ok(dotqmail_next(&three, &line) && line.type == DOTQMAIL_COMMENT, "a blank second line");
    ok(dotqmail_next(&three, &line) && line.type == DOTQMAIL_MAILDIR && line.number == 3, "the third has its number");
    struct bytes nul = {"./a\0b\n", 6};
    line.number = 0;
    ok(dotqmail_next(&nul, &line) && line.type == DOTQMAIL_BAD, "a NUL");
    char path[DOTQMAIL_PATH_MAX + 2];
    memset(path, '/', sizeof path);
    struct bytes longest = {path, DOTQMAIL_PATH_MAX};
    struct bytes longer = {path, DOTQMAIL_PATH_MAX + 1};
    ok(dotqmail_next(&longest, &line) && line.type == DOTQMAIL_MAILDIR, "the longest path");
    ok(dotqmail_next(&longer, &line) && line.type == DOTQMAIL_BAD, "one that is longer");
}

/* ---- mbox ---- */

static stralloc written = STRALLOC_ZERO;

static ssize_t
keep(int fd, struct iovec const *v, unsigned int n)
{
    ssize_t len = 0;

    (void)fd;
    for (unsigned int i = 0; i < n; i++) {
        if (!stralloc_catb(&written, v[i].iov_base, v[i].iov_len))
            return -1;
        len += (ssize_t)v[i].iov_len;
    }
    return len;
}

static int
quotes(char const *in, char const *out, size_t piece)
{
    char space[16];
    buffer b = BUFFER_INIT(&keep, -1, space, sizeof space);
    struct quoting q = QUOTING_ZERO;
    size_t len = strlen(in);

    written.len = 0;
    for (size_t i = 0; i < len; i += piece)
        if (!quoting_put(&q, &b, in + i, piece < len - i ? piece : len - i))
            return 0;
    return quoting_end(&q, &b) && buffer_flush(&b) && written.len == strlen(out) &&
           !memcmp(written.s, out, written.len);
}

static void
mbox(void)
{
    static char const *const rows[][2] = {
        {"", "\n"},
        {"a", "a\n\n"},
        {"a\n", "a\n\n"},
        {"From a\n", ">From a\n\n"},
        {">From a\n", ">>From a\n\n"},
        {">>>From ", ">>>>From \n\n"},
        {"From", "From\n\n"},
        {"Fro\nFrom x", "Fro\n>From x\n\n"},
        {"From\nFrom", "From\nFrom\n\n"},
        {">>", ">>\n\n"},
        {"> From a\n", "> From a\n\n"},
        {">F>From a\n", ">F>From a\n\n"},
        {"a From b\nFrom \n", "a From b\n>From \n\n"},
        {"\n\n", "\n\n\n"},
        {"FFrom \n", "FFrom \n\n"},
    };

    for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 8; piece += 3)
            ok(quotes(rows[i][0], rows[i][1], piece), "mbox row %u in pieces of %u", i, (unsigned int)piece);
}

/* ---- the environment, exit codes, owners ---- */

static void
safety(void)
{
    static struct {
        char const *value;
        int safe;
    } const rows[] = {{"", 1},     {"joe", 1},        {"() { :;}; x", 0}, {"()", 0},
                      {"(", 1},    {" () { :; }", 1}, {"a\nb", 0},        {"a\tb", 0},
                      {"\x7f", 0}, {"\x1b[2J", 0},    {"\xc3\xa9", 1},    {"$(x) `y` ;|&", 1}};

    for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(program_safe(rows[i].value, strlen(rows[i].value)) == rows[i].safe, "environment value %u", i);
    ok(!program_safe("a\0b", 3), "a value with a NUL");
    for (int c = 0; c < 256; c++) {
        char s = (char)c;
        if (program_safe(&s, 1) != (c >= 0x20 && c != 0x7f))
            ok(0, "byte %d", c);
    }
}

static char const *
variable(stralloc const *environment, char const *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < environment->len; i += strlen(environment->s + i) + 1)
        if (!strncmp(environment->s + i, name, len) && environment->s[i + len] == '=')
            return environment->s + i + len + 1;
    return "(none)";
}

static void
environment(void)
{
    struct delivery d = DELIVERY_ZERO;
    stralloc e = STRALLOC_ZERO;

    clearenv();
    setenv("PATH", "/bin", 1);
    d.user = "joe", d.home = "/home/joe", d.local = "joe-() { :;}\nx";
    d.dash = "-", d.ext = "() { :;}\nx", d.host = "example", d.suffix = "x";
    d.sender = "a b@example.org";
    ok(delivery_lines(&d, 0) && stralloc_copys(&d.newsender, "() { :;}") && stralloc_0(&d.newsender) &&
           program_environment(&d, &e),
       "an environment of hostile values");
    ok(!strcmp(variable(&e, "LOCAL"), "") && !strcmp(variable(&e, "EXT"), "") && !strcmp(variable(&e, "NEWSENDER"), ""),
       "those are empty");
    ok(!strcmp(variable(&e, "UNSAFE"), "LOCAL EXT EXT2 EXT3 EXT4 NEWSENDER") ||
           !strcmp(variable(&e, "UNSAFE"), "LOCAL EXT NEWSENDER"),
       "and named: %s", variable(&e, "UNSAFE"));
    ok(!strcmp(variable(&e, "DTLINE"), "Delivered-To: joe-() { :;}_x@example\n"), "a line is one line");
    ok(!strcmp(variable(&e, "RPLINE"), "Return-Path: <\"a b\"@example.org>\n"), "Return-Path is quoted");
    ok(!strcmp(variable(&e, "UFLINE"), "From a-b@example.org Thu Jan  1 00:00:00 1970\n"), "From_ line");
    ok(!strcmp(variable(&e, "HOST2"), "") || !strcmp(variable(&e, "HOST2"), "example"), "a host without a dot");
    ok(!strcmp(variable(&e, "LD_PRELOAD"), "(none)"), "nothing else");
    stralloc_free(&e);
    delivery_free(&d);
}

static void
owners(void)
{
    static struct {
        uint32_t owner, group;
        unsigned int mode;
        int foreign;
    } const rows[] = {
        {1000, 1000, 0700, 0}, {1000, 1000, 0755, 0}, {1000, 1000, 0775, 0}, {1000, 1000, 0777, 1},
        {1000, 1000, 0702, 1}, {1000, 50, 0755, 0},   {1000, 50, 0775, 1},   {1000, 0, 0775, 0},
        {0, 0, 0755, 0},       {0, 0, 0777, 1},       {0, 50, 0775, 1},      {1001, 1000, 0700, 1},
        {1001, 1001, 0755, 1},
    };

    for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(search_foreign(rows[i].owner, rows[i].group, rows[i].mode, 1000, 1000) == rows[i].foreign,
           "owner %u group %u mode %o", rows[i].owner, rows[i].group, rows[i].mode);
}

int
main(void)
{
    lines();
    mbox();
    safety();
    environment();
    owners();
    for (int i = 0; i < 256; i++) {
        char want = i == 0 ? 'K' : i == 99 ? 'L' : 'Z';
        if (i == 100 || i == 112 || i == 64 || i == 65 || i == 70 || (i >= 76 && i <= 78))
            want = 'D';
        if (program_class(i) != want)
            ok(0, "exit code %d", i);
    }
    return tap_done();
}
