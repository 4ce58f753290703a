/* What an operator does to a queued file: each step and its order, which is what a power cut at any moment must find right; that
 * nothing is done to a file that somebody else has, or that has gone; and what is left where a call fails. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "queue/move.h"
#include "tests/queuefile.h"
#include "tests/tap.h"

/* ---- the lock, and what a cut-off move left ---- */

static void
locks(void)
{
    struct item *i;
    struct item none = ITEM_ZERO;
    int fd, ends[2];
    char byte;

    clean();
    put(WAIT, "TTT", 10, "");
    i = begin(ITEM_WAIT, 0);
    put(WAIT, "TDT", 10, "");
    ok(move_lock(i, 0) == 1 && i->file.status[1] == 'D' && traced(""),
       "a lock: the file is read again, and left as it is");
    fd = open(WAIT, O_RDONLY);
    ok(flock(fd, LOCK_EX | LOCK_NB) == -1, "nobody else gets it");
    close(fd);
    item_close(i);

    i = begin(ITEM_WAIT, 0);
    fd = lock_of(WAIT);
    ok(move_lock(i, 0) == 0 && errno == EWOULDBLOCK, "it is being tried");
    close(fd);
    fail("!wait/af/I", EINTR);
    ok(move_lock(i, 1) == 1, "a signal does not end the wait for it");
    i = begin(ITEM_WAIT, 0);
    fail("!wait/af/I", ENOLCK);
    ok(move_lock(i, 0) == 0 && errno == ENOLCK, "what else happens is told");
    if (pipe(ends) == -1)
        exit(111);
    if (!fork()) {
        fd = lock_of(WAIT);
        (void)!write(ends[1], "", 1);
        usleep(20000);
        _exit(0);
    }
    ok(read(ends[0], &byte, 1) == 1 && move_lock(i, 1) == 1, "it can be waited for");
    (void)wait(0);

    i = begin(ITEM_WAIT, 0);
    (void)syscall(SYS_renameat2, AT_FDCWD, WAIT, AT_FDCWD, HOLD, 0);
    ok(move_lock(i, 0) == 0 && errno == ENOENT, "it has gone elsewhere");
    put(WAIT, "TTT", 10, "");
    ok(move_lock(i, 0) == 0 && errno == ENOENT, "or another file has its name");
    i = begin(ITEM_WAIT, 0);
    (void)chmod("queue/wait", 0);
    ok(move_lock(i, 0) == 0 && errno == EACCES, "who cannot look says so");
    (void)chmod("queue/wait", 0755);
    ok(move_lock(&none, 0) == 1, "what is no file needs no lock");
}

/* Every two or three of the names may lead to one file. */
static void
two_names(void)
{
    static struct {
        enum item_state meant;
        int in_new, in_wait, in_hold;
        char const *steps;
        char const *left;
    } const rows[] = {
        {ITEM_NEW, 1, 1, 0, "~wait/af -new/I ~new", WAIT},
        {ITEM_NEW, 1, 0, 1, "~new -hold/I ~hold -hold/I.why", NEW},
        {ITEM_NEW, 1, 1, 1, "~wait/af -new/I ~new ~wait/af -hold/I ~hold -hold/I.why", WAIT},
        {ITEM_WAIT, 1, 1, 0, "~wait/af -new/I ~new", WAIT},
        {ITEM_WAIT, 0, 1, 1, "~wait/af -hold/I ~hold -hold/I.why", WAIT},
        {ITEM_HOLD, 1, 0, 1, "~hold -new/I ~new", HOLD},
        {ITEM_HOLD, 0, 1, 1, "~hold -wait/af/I ~wait/af", HOLD},
        {ITEM_HOLD, 1, 1, 1, "~hold -new/I ~new ~hold -wait/af/I ~wait/af", HOLD},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct item *i;
        clean();
        put("other", "TTT", 10, "");
        if ((rows[n].in_new && link("other", NEW) == -1) || (rows[n].in_wait && link("other", WAIT) == -1) ||
            (rows[n].in_hold && link("other", HOLD) == -1))
            exit(111);
        text("queue/hold/0660d04f07c5323c94550402bfaf.why", "why\n");
        *trace = 0;
        i = begin(rows[n].meant, 0);
        ok(move_lock(i, 0) == 1 && traced(rows[n].steps) && there(rows[n].left) && !strcmp(i->path, rows[n].left) &&
               there(NEW) + there(WAIT) + there(HOLD) == 1,
           "names in %s%s%sone is meant: it is left", rows[n].in_new ? "new, " : "", rows[n].in_wait ? "wait, " : "",
           rows[n].in_hold ? "hold, " : "");
        ok(i->state == (rows[n].left[6] == 'n'   ? ITEM_NEW
                        : rows[n].left[6] == 'w' ? ITEM_WAIT
                                                 : ITEM_HOLD),
           "and known");
    }
}

static void
two_names_fail(void)
{
    static char const *const steps[] = {"~wait/af", "-new/I", "~new"};
    struct item *i;

    for (size_t n = 0; n < sizeof steps / sizeof *steps; n++)
        for (int meant = ITEM_NEW; meant <= ITEM_WAIT; meant++) {
            clean();
            put(NEW, "TTT", 10, "");
            (void)!link(NEW, WAIT);
            i = begin((enum item_state)meant, 0);
            fail(steps[n], EIO);
            ok(move_lock(i, 0) == 0 && errno == EIO && there(WAIT) && (n == 2 || there(NEW)),
               "%s fails: it is told, and nothing lost", steps[n]);
        }
    clean();
    put(HOLD, "TTT", 10, "");
    i = begin(ITEM_HOLD, 0);
    (void)chmod("queue/new", 0);
    ok(move_lock(i, 0) == 1, "of a file of one name nobody asks where else it is");
    (void)chmod("queue/new", 0755);
    (void)!link(HOLD, "other");
    put(NEW, "TTT", 10, "");
    put(WAIT, "TTT", 10, "");
    *trace = 0;
    i = begin(ITEM_HOLD, 0);
    ok(move_lock(i, 0) == 1 && traced("") && there(NEW) && there(WAIT), "other files of that name are not its names");
    (void)chmod("queue/new", 0);
    ok(move_lock(i, 0) == 0 && errno == EACCES, "where nobody can look, nobody knows");
    (void)chmod("queue/new", 0755);
}

/* ---- moves ---- */

static void
folders(void)
{
    static char const *const want[] = {"queue/new", "queue/wait/af", "queue/hold", "queue/bad"};

    for (int s = ITEM_NEW; s <= ITEM_BAD; s++) {
        char folder[sizeof "queue/wait/XX"];
        move_folder(folder, (enum item_state)s, id);
        ok(!strcmp(folder, want[s]), "a folder: %s", folder);
    }
}

static void
moves_one(void)
{
    static struct {
        enum item_state from, to;
        char const *at, *then, *steps;
    } const rows[] = {
        {ITEM_NEW, ITEM_WAIT, NEW, WAIT, "+new/I=wait/af/I ~wait/af -new/I ~new"},
        {ITEM_WAIT, ITEM_HOLD, WAIT, HOLD, "+wait/af/I=hold/I ~hold -wait/af/I ~wait/af"},
        {ITEM_HOLD, ITEM_NEW, HOLD, NEW, "+hold/I=new/I ~new -hold/I ~hold -hold/I.why"},
        {ITEM_BAD, ITEM_WAIT, BAD, WAIT, "+bad/I=wait/af/I ~wait/af -bad/I ~bad -bad/I.why"},
        {ITEM_HOLD, ITEM_HOLD, HOLD, HOLD, ""},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct item *i;
        clean();
        put(rows[n].at, "TTT", 10, "");
        text(HOLD ".why", "why\n");
        text(BAD ".why", "why\n");
        i = begin(rows[n].from, 1);
        ok(move_to(i, rows[n].to) == 1 && traced(rows[n].steps) && there(rows[n].then) &&
               !strcmp(i->path, rows[n].then) && i->state == rows[n].to,
           "%s to %s", item_word(rows[n].from), item_word(rows[n].to));
        ok(there(HOLD ".why") == (rows[n].from != ITEM_HOLD || rows[n].to == ITEM_HOLD) &&
               there(BAD ".why") == (rows[n].from != ITEM_BAD),
           "its reason goes, another one stays");
    }
}

static void
moves_fail(void)
{
    static char const *const steps[] = {"+new/I", "~wait/af", "-new/I", "~new"};
    struct item *i;

    for (size_t n = 0; n < sizeof steps / sizeof *steps; n++) {
        clean();
        put(NEW, "TTT", 10, "");
        i = begin(ITEM_NEW, 1);
        fail(steps[n], EIO);
        ok(move_to(i, ITEM_WAIT) == 0 && errno == EIO && (n < 1 || there(WAIT)) && (n > 2 || there(NEW)) &&
               i->state == ITEM_NEW,
           "%s fails: it is told", steps[n]);
    }
    clean();
    put(NEW, "TTT", 10, "");
    (void)!link(NEW, WAIT);
    i = begin(ITEM_NEW, 0);
    *trace = 0;
    ok(move_to(i, ITEM_WAIT) == 1 && !there(NEW) && there(WAIT), "a move that was begun is brought to its end");
    clean();
    put(NEW, "TTT", 10, "");
    put(WAIT, "DDD", 10, "");
    i = begin(ITEM_NEW, 1);
    ok(move_to(i, ITEM_WAIT) == 0 && errno == EEXIST && there(NEW) && there(WAIT), "another file is never replaced");
    (void)unlink(WAIT);
    (void)rmdir("queue/wait/af");
    *trace = 0;
    ok(move_to(i, ITEM_WAIT) == 1 && traced("+new/I=wait/af/I ~wait +new/I=wait/af/I ~wait/af -new/I ~new"),
       "a folder that was lost is made again");
    clean();
    put(NEW, "TTT", 10, "");
    i = begin(ITEM_NEW, 1);
    (void)rmdir("queue/wait/af");
    (void)chmod("queue/wait", 0555);
    ok(move_to(i, ITEM_WAIT) == 0 && errno == EACCES && there(NEW), "or it is told that it cannot be");
    (void)chmod("queue/wait", 0755);
}

static void
reason_lines(void)
{
    char line[ITEM_WHY_MAX + 2], longer[ITEM_WHY_MAX + 50];

    ok(move_whyline(line, "") == 1 && *line == '\n', "a reason of nothing");
    ok(move_whyline(line, "a\tb\nc") == 6 && !memcmp(line, "a b c\n", 6), "a reason is one line");
    ok(move_whyline(line, "\x1f \x7f") == 4 && !memcmp(line, "  \x7f\n", 4), "of what can be printed");
    memset(longer, 'x', sizeof longer);
    for (size_t n = ITEM_WHY_MAX - 2; n < ITEM_WHY_MAX + 5; n++) {
        longer[n] = 0;
        line[ITEM_WHY_MAX + 1] = '#'; /* beyond what it may write */
        size_t want = n + 1 < ITEM_WHY_MAX ? n + 1 : ITEM_WHY_MAX, got = move_whyline(line, longer);
        ok(got == want && line[got - 1] == '\n' && line[got - 2] == 'x' && !memchr(line, '\n', got - 1) &&
               line[ITEM_WHY_MAX + 1] == '#',
           "of %zu bytes %zu", n, want);
        longer[n] = 'x';
    }
}

static void
reasons(void)
{
    struct item *i;
    int fd;

    clean();
    put(WAIT, "TTT", 10, "");
    i = begin(ITEM_WAIT, 1);
    ok(move_aside(i, ITEM_HOLD, "not now") == 1 &&
           traced("~hold/.new hold//.new>hold/I.why ~hold +wait/af/I=hold/I ~hold -wait/af/I ~wait/af") &&
           text_is(HOLD ".why", "not now\n"),
       "aside: first the reason");
    clean();
    put(WAIT, "TTT", 10, "");
    i = begin(ITEM_WAIT, 1);
    fail("~hold", EIO);
    ok(move_aside(i, ITEM_HOLD, "not now") == 0 && there(WAIT) && !there(HOLD), "no reason, no move");
    put(HOLD, "TTT", 10, "");
    *trace = 0;
    ok(move_aside(i, ITEM_HOLD, "not now") == 0 && errno == EEXIST && traced("") && !there(HOLD ".why"),
       "nor where another file has that name");

    clean();
    (void)!symlink("/nowhere", NEW);
    i = begin(ITEM_NEW, 0);
    ok(move_aside(i, ITEM_BAD, "no file") == 1 && traced("~bad/.new bad//.new>bad/I.why ~bad new/I>bad/I ~bad ~new") &&
           there(BAD),
       "what is no file is renamed");
    clean();
    (void)mkdir(NEW, 0700);
    i = begin(ITEM_NEW, 0);
    ok(move_aside(i, ITEM_BAD, "no file") == 1 && there(BAD) && !there(NEW), "so is a folder");

    clean();
    put(HOLD, "TTT", 10, "");
    text(HOLD ".why", "why\n");
    fd = open(HOLD, O_RDONLY);
    i = begin(ITEM_HOLD, 1);
    ok(move_remove(i) == 1 && traced("-hold/I -hold/I.why"), "removed, with the reason");
    ok(move_remove(i) == 0 && errno == ENOENT, "it was there no more");
    close(fd);
    put(WAIT, "TTT", 10, "");
    text(WAIT ".why", "somebody's\n");
    i = begin(ITEM_WAIT, 1);
    ok(move_remove(i) == 1 && traced("-wait/af/I"), "removed, where there is no reason");
    put(BAD, "TTT", 10, "");
    text(BAD ".why", "why\n");
    i = begin(ITEM_BAD, 1);
    ok(move_remove(i) == 1 && traced("-bad/I -bad/I.why"), "and from bad/");
}

static void
due(void)
{
    struct timespec const old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;
    time_t before = time(0);
    struct item *i;

    clean();
    put(WAIT, "TTT", 10, "");
    i = begin(ITEM_WAIT, 1);
    (void)futimens(i->fd, old);
    ok(move_due(i) == 1 && fstat(i->fd, &st) == 0 && st.st_mtime >= before && st.st_atime == 1000, "due is a time");
}

int
main(void)
{
    begin_folder();
    locks();
    two_names();
    two_names_fail();
    folders();
    moves_one();
    moves_fail();
    reason_lines();
    reasons();
    due();
    end_folder();
    return tap_done();
}
