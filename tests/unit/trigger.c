/* queue/trigger: hints come through, garbage does no harm, a full fifo is told. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "queue/layout.h"
#include "queue/trigger.h"
#include "tests/tap.h"

#define ID1 "0660d03fe51eb523cbb714f0508d"
#define ID2 "t660d03fe51eb523cbb714f0508d"

static void
reads(struct trigger *t, int fd, char const *bytes, size_t len, char const *expected, char const *name)
{
    char got[64] = "";
    char id[TRIGGER_WORD];
    int hint;

    if (write(fd, bytes, len) != (ssize_t)len)
        perror("write");
    while ((hint = trigger_next(t, id)) > 0 && strlen(got) < 60)
        strcat(got, hint == TRIGGER_SCAN  ? "S"
                    : hint == TRIGGER_ALL ? "A"
                    : !strcmp(id, ID1)    ? "1"
                    : !strcmp(id, ID2)    ? "2"
                                          : "?");
    ok(hint == TRIGGER_NONE && !strcmp(got, expected), "%s: %s", name, got);
}

static void
full(struct trigger *t, int fd)
{
    char id[TRIGGER_WORD];
    unsigned int ids = 0, scans = 0;
    int hint;

    for (unsigned int i = 0; i < 10000; i++)
        trigger_pull(fd, ID1); /* never blocks */
    while ((hint = trigger_next(t, id)) > 0) {
        ids += hint == TRIGGER_NEW;
        scans += hint == TRIGGER_SCAN;
    }
    ok(hint == TRIGGER_NONE && scans && ids > 1000 && ids < 10000, "a full fifo asks for a scan: %u, %u", ids, scans);
    for (unsigned int i = 0; i < 100; i++)
        trigger_pull(fd, ID1);
    for (ids = scans = 0; (hint = trigger_next(t, id)) > 0;) {
        ids += hint == TRIGGER_NEW;
        scans += hint == TRIGGER_SCAN;
    }
    ok(ids == 100 && !scans, "a hundred hints do not");
}

static void
words(void)
{
    static struct {
        char const *line;
        int hint;
        char const *word;
    } const table[] = {{"all", TRIGGER_ALL, 0},
                       {"@example.org", TRIGGER_DOMAIN, "example.org"},
                       {"@", TRIGGER_SCAN, 0},
                       {"@a b", TRIGGER_SCAN, 0},
                       {"@a/b", TRIGGER_SCAN, 0},
                       {"@@x", TRIGGER_SCAN, 0},
                       {ID1, TRIGGER_NEW, ID1},
                       {"alle", TRIGGER_SCAN, 0},
                       {"@\303\244.test", TRIGGER_DOMAIN, "\303\244.test"}};
    struct trigger t;
    char word[TRIGGER_WORD], longest[TRIGGER_WORD + 10];
    int fd = trigger_open();

    if (!trigger_listen(&t))
        return;
    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        trigger_pull(fd, table[i].line);
        int hint = trigger_next(&t, word);
        ok(hint == table[i].hint && (!table[i].word || !strcmp(word, table[i].word)), "\"%s\"", table[i].line);
    }
    memset(longest, 'a', sizeof longest);
    *longest = '@';
    longest[TRIGGER_WORD - 1] = 0;
    trigger_pull(fd, longest);
    ok(trigger_next(&t, word) == TRIGGER_DOMAIN && strlen(word) == TRIGGER_WORD - 2, "the longest domain");
    longest[TRIGGER_WORD - 1] = 'a';
    longest[sizeof longest - 1] = '\n';
    (void)!write(fd, longest, sizeof longest);
    ok(trigger_next(&t, word) == TRIGGER_SCAN && trigger_next(&t, word) == TRIGGER_NONE, "a longer one");
    close(fd);
    close(t.fd);
}

int
main(void)
{
    static char home[] = "/tmp/pneu-trigger.XXXXXX";
    static char junk[9000];
    struct trigger t;
    char id[TRIGGER_WORD];
    int fd;

    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("queue", 0700) == -1 || mkdir("queue/lock", 0700) == -1)
        perror(home);
    ok(trigger_open() == -1 && errno == ENOENT, "no fifo: an error");
    close(open(QUEUE_TRIGGER, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ok(!trigger_listen(&t) && errno == EPROTO, "a file is no fifo");
    unlink(QUEUE_TRIGGER);
    if (mkfifo(QUEUE_TRIGGER, 0600) == -1)
        perror("mkfifo");
    fd = trigger_open();
    ok(fd != -1, "opens without a reader");
    trigger_pull(fd, ID1);
    trigger_pull(fd, "");
    ok(trigger_listen(&t), "a reader comes");
    ok(trigger_next(&t, id) == TRIGGER_NEW && !strcmp(id, ID1), "what was written before is there");
    ok(trigger_next(&t, id) == TRIGGER_SCAN, "an empty line: look again");
    ok(trigger_next(&t, id) == TRIGGER_NONE, "nothing more");
    reads(&t, fd, ID1 "\n" ID2 "\n", 58, "12", "two IDs");
    reads(&t, fd, "\n\n" ID2 "\n", 31, "SS2", "empty lines between");
    reads(&t, fd, "all\n" ID1 "\nal\nalll\n", 41, "A1SS", "all is a word of its own");
    reads(&t, fd, "../../etc/passwd\n" ID1 "\n", 46, "S1", "a path is no ID");
    reads(&t, fd, ID1 "0\n", 30, "S", "one digit more");
    reads(&t, fd, "0660", 4, "", "a part of one");
    reads(&t, fd, &ID1[4], 24, "", "the rest without its end");
    reads(&t, fd, "\n", 1, "1", "and its end");
    memset(junk, 'x', sizeof junk);
    reads(&t, fd, junk, sizeof junk, "SS", "a line without an end");
    reads(&t, fd, "\n" ID1 "\n", 30, "S1", "the one behind it");
    full(&t, fd);
    close(fd);
    ok(trigger_next(&t, id) == TRIGGER_NONE, "without a writer it is no end of file");
    trigger_pull(-1, ID1);
    ok(1, "a hint to nowhere is of no consequence");
    if (chdir("/") == 0)
        rm_rf(home);
    words();
    return tap_done();
}
