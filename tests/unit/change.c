/* Changes within a queued file: the history gets a line, recipients are given up or replaced. Only who is to be tried is meant; the
 * reason is written before the mark, and nothing is told that is not on disk. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/alloc.h>

#include "queue/move.h"
#include "queue/moves.h"
#include "queue/select.h"
#include "tests/queuefile.h"
#include "tests/tap.h"

static struct select all = SELECT_ZERO, joe = SELECT_ZERO, nobody = SELECT_ZERO;

/* The status bytes of the file at WAIT. */
static char const *
status(void)
{
    static struct item i = ITEM_ZERO;
    static char found[20];

    item_close(&i);
    if (item_open(&i, "queue/wait/af", ITEM_WAIT, id, 1) != 1 || i.why || i.file.header.recipients >= sizeof found)
        return "damaged";
    memcpy(found, i.file.status, i.file.header.recipients);
    found[i.file.header.recipients] = 0;
    return found;
}

/* Is the n-th line of the history that? */
static int
line_is(unsigned int n, char class, char const *to, char const *text_)
{
    struct item *i = begin(ITEM_WAIT, 0);
    struct bytes log = {i->log.s, i->log.len};
    struct file_event e;

    for (unsigned int k = 0; k <= n; k++)
        if (!file_event_next(&log, &e))
            return 0;
    return e.class == class && e.to.len == strlen(to) && !memcmp(e.to.s, to, e.to.len) && e.text.len == strlen(text_) &&
           !memcmp(e.text.s, text_, e.text.len) && !file_event_next(&log, &e) && e.time > 1000000000;
}

static struct item *
fresh_of(size_t message, char const *bytes, char const *log)
{
    struct item *i;

    clean();
    put(WAIT, bytes, message, log);
    i = begin(ITEM_WAIT, 1);
    *trace = 0;
    errno = 0;
    return i;
}

static struct item *
fresh(char const *bytes, char const *log)
{
    return fresh_of(10, bytes, log);
}

/* ---- memory ---- */

static int memory_left = -1; /* so many times it can be had, then once not; -1: always */

static int
no_memory(void)
{
    if (memory_left == -1 || memory_left--)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *
alloc(size_t len)
{
    return no_memory() ? 0 : malloc(len);
}

int
alloc_realloc(char **p, size_t len)
{
    char *new = no_memory() ? 0 : realloc(*p, len);

    if (new)
        *p = new;
    return new != 0;
}

/* What was written is synced, and takes its place, as it does for many. Returns n, or -1 with errno. */
static int64_t
finish(struct item *i, int64_t n, enum moved_how how, int written)
{
    static struct moves m;

    if (n <= 0)
        return n;
    moves_add(&m, i, how, written);
    moves_finish(&m, ITEM_WAIT, 0);
    int e = m.list[0].e;
    moves_clear(&m);
    return e ? (errno = e, -1) : n;
}

static int64_t
give_up(struct item *i, struct select const *who, char const *why)
{
    int written = -1;
    int64_t n = move_fail(i, who, why, &written);

    return finish(i, n, MOVED_STAYS, written);
}

static int64_t
redirect(struct item *i, struct select const *who, char const *to, size_t len, char const *why)
{
    int written = -1;
    int64_t n = move_redirect(i, who, to, len, why, &written);

    return finish(i, n, MOVED_REPLACED, written);
}

static off_t
size(void)
{
    struct stat st;

    return stat(WAIT, &st) == 0 ? st.st_size : -1;
}

static void
notes(void)
{
    struct timespec const times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct bytes two = {"0-1", 3};
    struct item *i = fresh("TTT", "");
    struct stat st;
    off_t before = size();

    (void)futimens(i->fd, times);
    (void)fstat(i->fd, &i->st);
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    ok(traced("w:log") && line_is(0, 'O', "0-1", "looked at") && !strcmp(status(), "TTT"),
       "a note is a line of the history, no more");
    ok(stat(WAIT, &st) == 0 && st.st_mtime == 2000, "its next attempt stays when it was");

    i = fresh("TTT", "a torn line");
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    ok(line_is(0, 'O', "0-1", "looked at"), "a torn line is cut off first");
    i = begin(ITEM_WAIT, 1);
    move_note(i, EVENT_OPERATOR, "", "again", two);
    ok(line_is(1, 'O', "0-1", "again"), "a whole one is not");

    i = fresh("TTT", "");
    put("other", "TTT", 10, "");
    (void)rename("other", WAIT);
    *trace = 0;
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    ok(traced("") && size() == before, "another file of that name gets none");
    i = fresh("TTT", "");
    i->why = "damaged";
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    ok(traced("") && size() == before, "nor a damaged one");

    i = fresh("TTT", "");
    limit((rlim_t)before + 10);
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    limit(0);
    ok(size() == before, "where there is no room the history ends (%lld)", (long long)(size() - before));
    i = fresh("TTT", "");
    fail("w:log", EINTR);
    move_note(i, EVENT_OPERATOR, "", "looked at", two);
    ok(line_is(0, 'O', "0-1", "looked at"), "a call that was interrupted is made again");
}

static void
failures(void)
{
    static struct {
        char const *before;
        struct select *who;
        int64_t n;
        char const *after, *ranges;
    } const rows[] = {
        {"TTT", &all, 3, "FDF", "0-2"},     {"TTT", &joe, 1, "FTT", "0"}, {"DTTT", &all, 3, "DDFF", "1-3"},
        {"SBTD", &all, 1, "SBFD", "2"},     {"FTT", &joe, 0, "FTT", ""},  {"TTT", &nobody, 0, "TTT", ""},
        {"?TT", &joe, 1, "FTT", "0"},       {"STT", &joe, 0, "STT", ""},  {"TFT", &all, 2, "FFF", "0,2"},
        {"TFTT", &all, 3, "FFFF", "0,2-3"},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct item *i = fresh(rows[n].before, "");
        int64_t got = give_up(i, rows[n].who, "given up");
        ok(got == rows[n].n && traced(got ? "w:log w:status ~wait/af/I" : "") && !strcmp(status(), rows[n].after) &&
               (!got || line_is(0, 'D', rows[n].ranges, "given up")),
           "%s becomes %s: the reason, the mark, the sync", rows[n].before, rows[n].after);
    }
}

static void
failures_fail(void)
{
    struct item *i = fresh("TTT", "");
    int open_before;

    fail("~wait/af/I", EIO);
    ok(give_up(i, &all, "given up") == -1 && errno == EIO, "what is not on disk is not told");
    i = fresh("TTT", "");
    fail("w:status", ENOSPC);
    open_before = open_files();
    ok(give_up(i, &all, "given up") == -1 && errno == ENOSPC && traced("w:log") && open_files() == open_before &&
           !strcmp(status(), "TTT"),
       "a mark that cannot be written: told, and nothing is left open");
    i = fresh("TTT", "");
    fail("w:log", ENOSPC);
    ok(give_up(i, &all, "given up") == 3 && traced("w:status ~wait/af/I"),
       "without room for the reason it is marked all the same");
    i = fresh("TTT", "");
    put("other", "TTT", 10, "");
    (void)rename("other", WAIT);
    *trace = 0;
    ok(give_up(i, &all, "given up") == -1 && errno == ENOENT && traced("") && !strcmp(status(), "TTT"),
       "another file of that name is left alone");
    i = fresh("TTT", "");
    (void)chmod(WAIT, 0400);
    ok(give_up(i, &all, "given up") == -1 && errno == EACCES, "one that cannot be opened is told of");
}

/* ---- another address ---- */

#define HIDDEN                                                                                                         \
    "queue/wait/af/."                                                                                                  \
    "0660d04f07c5323c94550402bfaf"
#define STEPS "!wait/af/.I w:part w:part w:part w:part w:header ~wait/af/.I wait/af/.I<>wait/af/I -wait/af/.I ~wait/af"

/* The n-th recipient, and the records behind it, in the order "to notify orcpt". */
static int
recipient_is(unsigned int n, char const *want)
{
    struct item *i = begin(ITEM_WAIT, 0);
    struct bytes cursor = i->file.envelope;
    struct record r;
    char found[300] = "";
    unsigned int at = 0;

    while (envelope_next(&cursor, &r) == 1) {
        size_t len = strlen(found);
        at += record_is(&r, "to") != 0;
        if (at == n + 1)
            snprintf(found + len, sizeof found - len, "%s%.*s", len ? " " : "", (int)r.value.len, r.value.s);
    }
    if (strcmp(found, want) != 0)
        printf("# %s\n", found);
    return !strcmp(found, want);
}

static void
redirects(void)
{
    static struct {
        char const *before;
        struct select *who;
        char const *to;
        int64_t n;
        char const *after, *ranges, *last;
    } const rows[] = {
        {"TTT", &joe, "new@x.test", 1, "DTTT", "0", "new@x.test SUCCESS,FAILURE rfc822;j"},
        {"TTT", &all, "new@x.test", 3, "DDDT", "0-2", "new@x.test SUCCESS,FAILURE rfc822;j"},
        {"DTT", &all, "new@x.test", 2, "DDDT", "1-2", "new@x.test NEVER"},
        {"DDT", &all, "new@x.test", 1, "DDDT", "2", "new@x.test"},
        {"TTT", &joe, "bob@three.test", 1, "DTT", "0", "bob@three.test"},
        {"TTD", &joe, "bob@three.test", 1, "DTDT", "0", "bob@three.test SUCCESS,FAILURE rfc822;j"},
        {"TTS", &joe, "bob@three.test", 1, "DTST", "0", "bob@three.test SUCCESS,FAILURE rfc822;j"},
        {"TTT", &all, "bob@three.test", 2, "DDT", "0-1", "bob@three.test"},
        {"TTT", &joe, "joe@one.test", 0, "TTT", "", "bob@three.test"},
        {"TTT", &joe, "joe@one.tes", 1, "DTTT", "0", "joe@one.tes SUCCESS,FAILURE rfc822;j"},
        {"TTT", &nobody, "new@x.test", 0, "TTT", "", "bob@three.test"},
        {"FSB", &all, "new@x.test", 0, "FSB", "", "bob@three.test"},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct item *i = fresh(rows[n].before, "");
        int64_t got = redirect(i, rows[n].who, rows[n].to, strlen(rows[n].to), "redirected");
        ok(got == rows[n].n && traced(got ? STEPS : ""), "%s to %s: written whole, synced, then in one step",
           rows[n].before, rows[n].to);
        ok(!strcmp(status(), rows[n].after) && (!got || line_is(0, 'O', rows[n].ranges, "redirected")),
           "it becomes %s (%s)", rows[n].after, status());
        ok(recipient_is((unsigned int)strlen(rows[n].after) - 1, rows[n].last), "the last one: %s", rows[n].last);
    }
}

/* A message of that size, and the history, go along. */
static void
redirects_whole(void)
{
    static size_t const sizes[] = {0, 1, 16383, 16384, 16385, 100000};

    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        struct item *i = fresh_of(sizes[n], "TTT", "");
        move_note(i, EVENT_OPERATOR, "", "before", (struct bytes){"0", 1});
        item_close(i);
        i = begin(ITEM_WAIT, 1);
        ok(redirect(i, &joe, "new@x.test", 10, "redirected") == 1 && !strcmp(status(), "DTTT") &&
               line_is(1, 'O', "0", "redirected"),
           "a message of %zu bytes is whole, and its history is", sizes[n]);
    }
}

static void
redirects_in_the_way(void)
{
    struct item *i = fresh("TTT", "");

    text(HIDDEN, "debris");
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == 1 && traced("-wait/af/.I " STEPS),
       "what a former try left is removed");
    i = fresh("TTT", "");
    (void)mkdir(HIDDEN, 0700);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == -1 && !strcmp(status(), "TTT"), "or is in the way");
}

static void
redirects_fail(void)
{
    static struct {
        char const *step;
        unsigned int after;
        int e;
    } const rows[] = {{"w:part", 0, ENOSPC},      {"w:part", 1, ENOSPC},          {"w:part", 2, ENOSPC},
                      {"w:part", 3, ENOSPC},      {"w:header", 0, ENOSPC},        {"~wait/af/.I", 0, EIO},
                      {"wait/af/.I<>", 0, EPERM}, {"!wait/af/.I", 0, EWOULDBLOCK}};
    struct item *i;

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        i = fresh("TTT", "");
        fail(rows[n].step, rows[n].e);
        failing_after = rows[n].after;
        ok(redirect(i, &joe, "new@x.test", 10, "redirected") == -1 && errno == rows[n].e && !strcmp(status(), "TTT") &&
               !there(HIDDEN),
           "%s fails: the old file stays, nothing else", rows[n].step);
    }
    redirects_in_the_way();
    i = fresh("TTT", "");
    fail("wait/af/.I<>", EINVAL);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == 1 && !strcmp(status(), "DTTT") &&
           strstr(trace, "wait/af/.I>wait/af/I ~wait/af"),
       "a file system that exchanges no names");
    i = fresh("TTT", "");
    fail("-wait/af/.I", EIO);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == -1 && errno == EIO, "the old one cannot be removed: told");
}

/* The old file cannot be read to its end: what was copied until then is no message. */
static void
redirects_unread(void)
{
    struct item *i = fresh_of(40000, "TTT", "");
    int open_before = open_files(), fd;

    fail("w:part", EINTR);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == 1 && !strcmp(status(), "DTTT"),
       "a call that was interrupted is made again");

    i = fresh_of(40000, "TTT", "");
    (void)!truncate(WAIT, FILE_HEADER + 20000);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == -1 && errno == EIO && !there(HIDDEN) &&
           open_files() == open_before,
       "one that has become shorter: told, nothing is left");

    i = fresh_of(40000, "TTT", "");
    fd = open("queue", O_RDONLY | O_DIRECTORY); /* a read of which fails */
    if (dup2(fd, i->fd) == -1)
        exit(111);
    close(fd);
    ok(redirect(i, &joe, "new@x.test", 10, "redirected") == -1 && errno == EISDIR && !there(HIDDEN) &&
           open_files() == open_before && !strcmp(status(), "TTT"),
       "one that cannot be read: told, nothing is left");
}

/* ---- without memory ---- */

enum change { NOTE, GIVE_UP, REDIRECT };

static int64_t
change(enum change which, struct item *i)
{
    if (which == GIVE_UP)
        return give_up(i, &all, "given up");
    if (which == REDIRECT)
        return redirect(i, &all, "new@x.test", 10, "redirected");
    move_note(i, EVENT_OPERATOR, "", "looked at", (struct bytes){"0", 1});
    return 0;
}

/* At whatever place it cannot be had: nothing is changed then, nothing left, and it is told. */
static void
poor(void)
{
    static struct {
        enum change which;
        char const *before, *after;
    } const rows[] = {
        {GIVE_UP, "TFTDT", "FFFDF"}, {GIVE_UP, "TTT", "FDF"}, {REDIRECT, "TFTDT", "DFDDDT"}, {REDIRECT, "TTT", "DDDT"}};

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        for (int left = 0, ends = 0; !ends; left++) {
            struct item *i = fresh(rows[n].before, "");
            int open_before = open_files();
            memory_left = left;
            int64_t got = change(rows[n].which, i);
            int e = errno;
            ends = memory_left >= 0;
            memory_left = -1;
            ok(ends ? got > 0 && left > 0 && !strcmp(status(), rows[n].after)
                    : got == -1 && e == ENOMEM && traced("") && !there(HIDDEN) && open_files() == open_before &&
                          !strcmp(status(), rows[n].before),
               "%s to %s: memory %d times", rows[n].before, rows[n].after, left);
        }
    struct item *i = fresh("TTT", "");
    off_t before = size();
    memory_left = 0;
    (void)change(NOTE, i);
    ok(memory_left == -1 && traced("") && size() == before, "nor is anything noted");
}

int
main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    if (select_option(&joe, 't', "joe@*") != 1 || select_option(&nobody, 't', "nobody@*") != 1)
        return 111;
    begin_folder();
    notes();
    failures();
    failures_fail();
    redirects();
    redirects_whole();
    redirects_fail();
    redirects_unread();
    poor();
    end_folder();
    return tap_done();
}
