/* The message's header is searched for one line, however long it is. */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <skalibs/stralloc.h>

#include "local/delivery.h"
#include "tests/tap.h"

static int
has(stralloc const *text, char const *line)
{
    static struct message m;
    int fd = memfd_create("message", 0);
    int got = -2;

    if (fd != -1 && write(fd, text->s, text->len) == (ssize_t)text->len && message_open(&m, fd, text->len))
        got = message_has(&m, (struct bytes){line, strlen(line)});
    close(fd);
    return got;
}

static void
fill(stralloc *s, char const *line, size_t len)
{
    s->len = 0;
    while (s->len < len)
        if (!stralloc_cats(s, line))
            _exit(111);
}

int
main(void)
{
    static char const dt[] = "Delivered-To: joe@example.org\n";
    stralloc s = STRALLOC_ZERO;

    fill(&s, "", 0);
    ok(has(&s, dt) == 0, "an empty message");
    fill(&s, dt, 1);
    ok(has(&s, dt) == 1, "nothing but the line");
    s.len--;
    ok(has(&s, dt) == 0, "without its end it is no line");
    fill(&s, "\n", 1);
    stralloc_cats(&s, dt);
    ok(has(&s, dt) == 0, "in the body");
    /* At every place around a block's end. */
    int all = 1, none = 1;
    for (size_t at = MESSAGE_BLOCK - 40; at < MESSAGE_BLOCK + 40; at++) {
        fill(&s, "X: y\n", at - 7);
        while (s.len < at - 1)
            stralloc_cats(&s, "z");
        stralloc_cats(&s, "\n");
        stralloc_cats(&s, dt);
        all &= has(&s, dt) == 1;
        s.s[at - 1] = 'q'; /* now it is the end of another line */
        none &= has(&s, dt) == 0;
    }
    ok(all, "across a block's end");
    ok(none, "the end of a line is no line");
    none = 1;
    for (size_t at = 2 * MESSAGE_BLOCK - 3; at < 2 * MESSAGE_BLOCK + 4; at++) {
        fill(&s, "z", at);
        stralloc_cats(&s, dt);
        none &= has(&s, dt) == 0;
    }
    ok(none, "nor is that of a line of many blocks");
    stralloc_cats(&s, dt);
    ok(has(&s, dt) == 1, "but the next is");
    fill(&s, "z", 5 * MESSAGE_BLOCK);
    ok(has(&s, dt) == 0, "a line without an end");
    return tap_done();
}
