/* Many queued files changed or moved at once: each step is taken for all of them, and each folder synced once, before the next begins;
 * where a step fails for one, that one stays where it is, with its reason, and is told of, and the others go. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/moves.h"
#include "tests/queuefile.h"
#include "tests/tap.h"

#define NEW2 "queue/new/0660d04f07c5323c94550402bfb0"
#define HOLD2 "queue/hold/0660d04f07c5323c94550402bfb0"
#define BAD2 "queue/bad/0660d04f07c5323c94550402bfb0"
#define HIDDEN                                                                                                         \
    "queue/wait/af/."                                                                                                  \
    "0660d04f07c5323c94550402bfaf"
#define REASON                                                                                                         \
    "queue/hold/."                                                                                                     \
    "0660d04f07c5323c94550402bfaf.why"

static struct moves m;
static int open_before;

/* Bytes are on their way to the disk, and have come there. */
int
sync_file_range(int fd, off_t at, off_t len, unsigned int flags)
{
    char const *what = at || len                                                             ? "?"
                       : flags == SYNC_FILE_RANGE_WRITE                                      ? "1:"
                       : flags == (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER) ? "2:"
                                                                                             : "?";

    return note(what, path_of(fd), "", "") ? 0 : -1;
}

static void
start(void)
{
    clean();
    moves_clear(&m);
    open_before = open_files();
}

/* Locks the file of that path, and takes it into the group; `written`: a file to be synced, or NULL. */
static void
add_file(char const *path, enum item_state state, enum moved_how how, char const *written)
{
    struct item i = ITEM_ZERO;
    char folder[ITEM_PATH];
    int fd = written ? open(written, O_WRONLY) : -1;

    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if ((written && fd == -1) || item_open(&i, folder, state, strrchr(path, '/') + 1, 0) != 1 || !move_lock(&i, 0))
        exit(111);
    moves_add(&m, &i, how, fd);
    item_free(&i); /* which leaves the lock alone */
}

static void
add(char const *path, enum item_state state)
{
    put(path, "TTT", 10, "");
    add_file(path, state, MOVED_ELSEWHERE, 0);
}

/* One that waits, and one that is new. */
static void
two(void)
{
    start();
    add(WAIT, ITEM_WAIT);
    add(NEW2, ITEM_NEW);
    *trace = 0;
}

/* Whatever errno was. */
static void
finish(enum item_state to, char const *why)
{
    errno = 0;
    moves_finish(&m, to, why);
}

/* Was it these steps, are these the errors, and is nothing left open, with which a lock would stay? */
static int
finished(enum item_state to, char const *why, char const *steps, int first, int second)
{
    finish(to, why);
    int good =
        traced(steps) && m.list[0].e == first && (m.n < 2 || m.list[1].e == second) && open_files() == open_before;

    if (!good)
        printf("# errors %d and %d\n", m.list[0].e, m.list[1].e);
    return good;
}

static int
locked(char const *path)
{
    int fd = open(path, O_RDONLY);
    int is = fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1;

    close(fd);
    return is;
}

#define REASONS "~hold/.I.why +hold/.I.why=hold/I.why +hold/.I.why=hold/I.why -hold/.I.why ~hold "
#define NAMES "+wait/af/I=hold/I +new/I=hold/I ~hold "

static void
together(void)
{
    two();
    ok(locked(WAIT) && locked(NEW2), "those of a group are locked");
    ok(finished(ITEM_HOLD, "why", REASONS NAMES "-wait/af/I -new/I ~wait/af ~new", 0, 0),
       "two are moved together: reasons, names, one sync, then the old names");
    ok(there(HOLD) && there(HOLD2) && !there(WAIT) && !there(NEW2) && text_is(HOLD ".why", "why\n") &&
           text_is(HOLD2 ".why", "why\n") && !there(REASON),
       "each has its new name alone, and its reason");
    ok(!locked(HOLD) && !locked(HOLD2), "and is locked no more");
    two();
    ok(finished(ITEM_HOLD, 0, NAMES "-wait/af/I -new/I ~wait/af ~new", 0, 0) && !there(HOLD ".why"),
       "no reason is given where there is none");
    moves_clear(&m);
    *trace = 0;
    ok(finished(ITEM_HOLD, "why", "", m.list[0].e, 0), "of none, nothing is done");
}

/* From each folder to another. */
static void
folders(void)
{
    static struct {
        char const *at, *then;
        enum item_state from, to;
        char const *steps;
    } const rows[] = {
        {NEW, WAIT, ITEM_NEW, ITEM_WAIT, "+new/I=wait/af/I ~wait/af -new/I ~new"},
        {WAIT, NEW, ITEM_WAIT, ITEM_NEW, "+wait/af/I=new/I ~new -wait/af/I ~wait/af"},
        {HOLD, WAIT, ITEM_HOLD, ITEM_WAIT, "+hold/I=wait/af/I ~wait/af -hold/I ~hold -hold/I.why"},
        {BAD, HOLD, ITEM_BAD, ITEM_HOLD, "+bad/I=hold/I ~hold -bad/I ~bad -bad/I.why"},
        {"queue/wait/b0/0660d04f07c5323c94550402bfaf", HOLD, ITEM_WAIT, ITEM_HOLD,
         "+wait/b0/I=hold/I ~hold -wait/b0/I ~wait/b0"},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        start();
        add(rows[n].at, rows[n].from);
        text(NEW ".why", "somebody's\n");
        text(WAIT ".why", "somebody's\n");
        text(HOLD ".why", "held\n");
        text(BAD ".why", "bad\n");
        ok(finished(rows[n].to, 0, rows[n].steps, 0, 0) && there(rows[n].then) && !there(rows[n].at), "%s to %s: %s",
           rows[n].at, item_word(rows[n].to), rows[n].steps);
        ok(there(HOLD ".why") == (rows[n].from != ITEM_HOLD) && there(BAD ".why") == (rows[n].from != ITEM_BAD) &&
               there(NEW ".why") && there(WAIT ".why"),
           "its reason goes, another one stays");
    }
}

/* ---- a step fails ---- */

static void
steps_fail(void)
{
    static struct {
        char const *step, *steps;
        int first, second, names; /* 1 WAIT, 2 HOLD, 4 NEW2, 8 HOLD2 */
    } const rows[] = {
        {"+wait/af/I", "+new/I=hold/I ~hold -new/I ~new", EIO, 0, 1 | 8},
        {"+new/I", "+wait/af/I=hold/I ~hold -wait/af/I ~wait/af", 0, EIO, 2 | 4},
        {"~hold", "+wait/af/I=hold/I +new/I=hold/I", EIO, EIO, 1 | 2 | 4 | 8},
        {"-wait/af/I", NAMES "-new/I ~new", EIO, 0, 1 | 2 | 8},
        {"-new/I", NAMES "-wait/af/I ~wait/af", 0, EIO, 2 | 4 | 8},
        {"~wait/af", NAMES "-wait/af/I -new/I ~new", EIO, 0, 2 | 8},
        {"~new", NAMES "-wait/af/I -new/I ~wait/af", 0, EIO, 2 | 8},
    };

    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        two();
        fail(rows[n].step, EIO);
        ok(finished(ITEM_HOLD, 0, rows[n].steps, rows[n].first, rows[n].second), "%s fails: it is told, and no more",
           rows[n].step);
        ok((there(WAIT) | there(HOLD) << 1 | there(NEW2) << 2 | there(HOLD2) << 3) == rows[n].names,
           "each has its old name, its new one or both");
    }
}

/* Somebody else's file has that name. */
static void
another_there(void)
{
    start();
    add(BAD, ITEM_BAD);
    add(NEW2, ITEM_NEW);
    text(BAD ".why", "damaged\n");
    put(HOLD, "TTT", 10, "");
    *trace = 0;
    ok(finished(ITEM_HOLD, "why",
                "~hold/.I.why +hold/.I.why=hold/I.why -hold/.I.why ~hold +new/I=hold/I ~hold -new/I ~new", EEXIST, 0),
       "where another file has that name, nothing is done");
    ok(there(BAD) && text_is(BAD ".why", "damaged\n") && !there(HOLD ".why") && text_is(HOLD2 ".why", "why\n"),
       "it keeps its reason, and the other file gets none");
    start();
    add(BAD, ITEM_BAD);
    text(BAD ".why", "damaged\n");
    put(HOLD, "TTT", 10, "");
    text(HOLD ".why", "held\n");
    ok(finished(ITEM_HOLD, 0, "+bad/I=hold/I", EEXIST, 0) && text_is(BAD ".why", "damaged\n") &&
           text_is(HOLD ".why", "held\n"),
       "both keep theirs");
}

/* ---- reasons ---- */

static void
reasons_there(void)
{
    start();
    add(WAIT, ITEM_WAIT);
    text(HOLD ".why", "a former one's\n");
    *trace = 0;
    ok(finished(ITEM_HOLD, "why",
                "~hold/.I.why -hold/I.why +hold/.I.why=hold/I.why -hold/.I.why ~hold "
                "+wait/af/I=hold/I ~hold -wait/af/I ~wait/af",
                0, 0) &&
           text_is(HOLD ".why", "why\n"),
       "a reason without a message is of a former one");
    for (int given = 0; given <= 1; given++) {
        start();
        add(WAIT, ITEM_WAIT);
        (void)!link(WAIT, HOLD); /* a move that was cut off */
        if (given)
            text(HOLD ".why", "given before\n");
        *trace = 0;
        finish(ITEM_HOLD, "why");
        ok(!m.list[0].e && there(HOLD) && !there(WAIT) && text_is(HOLD ".why", given ? "given before\n" : "why\n"),
           "what has its new name already %s", given ? "keeps its reason" : "gets one");
    }
}

static void
reasons_fail(void)
{
    static char const *const one[] = {"+hold/.I.why=", "-hold/I.why"};
    static char const *const all[] = {"~hold/.I.why", "~hold"};

    for (size_t n = 0; n < sizeof one / sizeof *one; n++) {
        two();
        text(HOLD ".why", "a former one's\n");
        fail(one[n], EMLINK);
        finish(ITEM_HOLD, "why");
        ok(m.list[0].e == EMLINK && there(WAIT) && !there(HOLD) && !m.list[1].e && there(HOLD2) && !there(NEW2) &&
               text_is(HOLD2 ".why", "why\n") && !there(REASON) && open_files() == open_before,
           "%s fails: that one stays", one[n]);
    }
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
        two();
        fail(all[n], EIO);
        failing_after = (unsigned int)n;
        finish(ITEM_HOLD, "why");
        ok(m.list[0].e == EIO && m.list[1].e == EIO && there(WAIT) && there(NEW2) && !there(HOLD) && !there(HOLD2) &&
               !there(REASON) && open_files() == open_before,
           "%s fails: all stay, and nothing is left", all[n]);
    }
}

static void
reason_unwritten(void)
{
    two();
    text(REASON, "a former one's, and longer\n");
    ok(finished(ITEM_HOLD, "why", "-hold/.I.why " REASONS NAMES "-wait/af/I -new/I ~wait/af ~new", 0, 0) &&
           text_is(HOLD ".why", "why\n") && !there(REASON),
       "what a former try left is removed");
    two();
    (void)mkdir(REASON, 0700);
    finish(ITEM_HOLD, "why");
    ok(m.list[0].e == EISDIR && m.list[1].e == EISDIR && there(WAIT) && there(NEW2) && open_files() == open_before,
       "or is in the way: all stay");
    two();
    (void)chmod("queue/hold", 0500);
    ok(finished(ITEM_HOLD, "why", "", EACCES, EACCES) && there(WAIT) && there(NEW2),
       "so they do where none may be made");
    (void)chmod("queue/hold", 0700);
    two();
    limit(3);
    ok(finished(ITEM_HOLD, "why", "-hold/.I.why", EFBIG, EFBIG) && there(WAIT) && there(NEW2) && !there(REASON),
       "or there is no room for it");
    limit(0);
    two();
    limit(4);
    ok(finished(ITEM_HOLD, "why", REASONS NAMES "-wait/af/I -new/I ~wait/af ~new", 0, 0),
       "with room for just that line");
    limit(0);
}

/* ---- what was written ---- */

/* Both in place; or the second in its place, the first moved. */
static void
two_written(enum moved_how how)
{
    start();
    put(WAIT, "TTT", 10, "");
    put(NEW2, "TTT", 10, "");
    add_file(WAIT, ITEM_WAIT, how, WAIT);
    add_file(NEW2, ITEM_NEW, MOVED_STAYS, NEW2);
    *trace = 0;
}

static void
written(void)
{
    two_written(MOVED_STAYS);
    ok(finished(ITEM_HOLD, 0, "1:wait/af/I 1:new/I 2:wait/af/I 2:new/I ~wait/af/I ~new/I", 0, 0) && there(WAIT) &&
           there(NEW2),
       "all is on its way before the first is synced; what stays stays");
    two_written(MOVED_STAYS);
    fail("1:wait/af/I", EIO);
    ok(finished(ITEM_HOLD, 0, "1:new/I 2:wait/af/I 2:new/I ~wait/af/I ~new/I", 0, 0),
       "whether it is there only fsync says");
    two_written(MOVED_STAYS);
    fail("~new/I", EIO);
    ok(finished(ITEM_HOLD, 0, "1:wait/af/I 1:new/I 2:wait/af/I 2:new/I ~wait/af/I", 0, EIO), "and it is told");
    two_written(MOVED_ELSEWHERE);
    ok(finished(ITEM_HOLD, 0,
                "1:wait/af/I 1:new/I 2:wait/af/I 2:new/I ~wait/af/I ~new/I "
                "+wait/af/I=hold/I ~hold -wait/af/I ~wait/af",
                0, 0),
       "what goes is synced before it has another name");
    two_written(MOVED_ELSEWHERE);
    fail("~wait/af/I", EIO);
    ok(finished(ITEM_HOLD, 0, "1:wait/af/I 1:new/I 2:wait/af/I 2:new/I ~new/I", EIO, 0) && there(WAIT) && !there(HOLD),
       "where it cannot be, it does not go");
    start();
    put(WAIT, "TTT", 10, "");
    add_file(WAIT, ITEM_WAIT, MOVED_STAYS, 0);
    ok(finished(ITEM_HOLD, 0, "", 0, 0) && there(WAIT), "what nothing was written to is not synced");
}

/* One that is written anew, and one that goes. */
static void
replacing(void)
{
    start();
    put(WAIT, "TTT", 10, "");
    put(HIDDEN, "DDD", 10, "");
    add_file(WAIT, ITEM_WAIT, MOVED_REPLACED, HIDDEN);
    add(NEW2, ITEM_NEW);
    *trace = 0;
}

/* Is the first recipient's status that, in the file that waits? */
static int
waits_with(char status)
{
    struct item i = ITEM_ZERO;
    int is = item_open(&i, "queue/wait/af", ITEM_WAIT, id, 0) == 1 && *i.file.status == status;

    item_free(&i);
    return is;
}

static void
replaced(void)
{
    static char const *const steps[] = {"~wait/af/.I", "wait/af/.I<>"};

    replacing();
    ok(finished(ITEM_HOLD, 0,
                "1:wait/af/.I 2:wait/af/.I ~wait/af/.I wait/af/.I<>wait/af/I -wait/af/.I +new/I=hold/I ~hold "
                "-new/I ~wait/af ~new",
                0, 0) &&
           waits_with('D') && !there(HIDDEN),
       "what was written anew is synced, takes the other's place, and its folder is synced");
    for (size_t n = 0; n < sizeof steps / sizeof *steps; n++) {
        replacing();
        fail(steps[n], EIO);
        finish(ITEM_HOLD, 0);
        ok(m.list[0].e == EIO && waits_with('T') && !there(HIDDEN) && !m.list[1].e && there(HOLD2) &&
               open_files() == open_before,
           "%s fails: the old one stays, the other message goes", steps[n]);
    }
    replacing();
    fail("~wait/af", EIO);
    failing_after = 1;
    finish(ITEM_HOLD, 0);
    ok(m.list[0].e == EIO && !m.list[1].e, "that its folder cannot be synced is told");
}

/* ---- groups ---- */

/* A group of two, with files to sync, has come to its end; their places are free. Returns the descriptor that had the lock of the second. */
static int
group_before(void)
{
    start();
    put(WAIT, "TTT", 10, "");
    put(NEW2, "TTT", 10, "");
    add_file(WAIT, ITEM_WAIT, MOVED_ELSEWHERE, WAIT);
    add_file(NEW2, ITEM_NEW, MOVED_ELSEWHERE, NEW2);
    finish(ITEM_HOLD, 0);
    int had = m.list[1].fd;
    moves_clear(&m);
    return had;
}

/* The next group is smaller: what was moved before is none of its business. */
static void
groups(void)
{
    int had = group_before();

    add_file(HOLD, ITEM_HOLD, MOVED_ELSEWHERE, 0);
    put(NEW2, "TTT", 10, ""); /* it came back */
    if (dup2(m.list[0].fd, had) == -1)
        exit(111);
    *trace = 0;
    finish(ITEM_WAIT, 0);
    ok(traced("+hold/I=wait/af/I ~wait/af -hold/I ~hold") && there(NEW2) && there(HOLD2),
       "a group after a larger one: only its own is moved");
    ok(close(had) == 0, "and closed");

    (void)group_before();
    add_file(HOLD, ITEM_HOLD, MOVED_ELSEWHERE, 0);
    *trace = 0;
    ok(finished(ITEM_BAD, "why", "~bad/.I.why +bad/.I.why=bad/I.why -bad/.I.why ~bad +hold/I=bad/I ~bad -hold/I ~hold",
                0, 0) &&
           !there(BAD2 ".why"),
       "only its own is given a reason");
    (void)group_before();
    add_file(HOLD, ITEM_HOLD, MOVED_ELSEWHERE, 0);
    put(BAD, "TTT", 10, "");
    *trace = 0;
    ok(finished(ITEM_BAD, "why", "~bad/.I.why -bad/.I.why", EEXIST, 0),
       "where none gets one, no folder is synced for it");
}

/* As many as there are places. */
static void
most(void)
{
    char path[ITEM_PATH];
    unsigned int good = 0;

    start();
    for (unsigned int n = 0; n < MOVES_MOST; n++) {
        (void)snprintf(path, sizeof path, "queue/new/%.26s%02x", id, n);
        add(path, ITEM_NEW);
    }
    finish(ITEM_HOLD, "why");
    for (unsigned int n = 0; n < MOVES_MOST; n++) {
        (void)snprintf(path, sizeof path, "queue/hold/%.26s%02x.why", id, n);
        good += !m.list[n].e && text_is(path, "why\n");
        path[strlen(path) - 4] = 0;
        good += there(path);
    }
    ok(good == 2 * MOVES_MOST && m.n == MOVES_MOST && open_files() == open_before && rmdir("queue/new") == 0,
       "%u at once: all have gone, each with its reason", MOVES_MOST);
}

int
main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    begin_folder();
    together();
    folders();
    steps_fail();
    another_there();
    reasons_there();
    reasons_fail();
    reason_unwritten();
    written();
    replaced();
    groups();
    most();
    end_folder();
    return tap_done();
}
