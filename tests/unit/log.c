/* lib/log: one event is one line of printable bytes, whatever a stranger put
 * into it. */

#include <string.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "lib/log.h"
#include "tests/tap.h"

static int
printable(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] > 0x7e)
            return 0;
    return 1;
}

int
main(void)
{
    struct log l;
    char every[256];
    char line[LOG_MAX + 1];
    int fds[2], saved = dup(2);
    ssize_t n;
    stralloc sa = STRALLOC_ZERO;

    PROG = "test";
    for (int i = 0; i < 256; i++)
        every[i] = (char)i;

    if (pipe(fds) == -1)
        return 111;
    dup2(fds[1], 2);
    log_start(&l, "event");
    log_str(&l, "word", "a\\b c\nd\x1b[31m");
    log_uint(&l, "number", 42);
    log_str(&l, "empty", "");
    log_end(&l);
    n = read(fds[0], line, LOG_MAX);
    line[n > 0 ? n : 0] = 0;
    ok(!strcmp(line, "test: event word=a\\x5cb\\x20c\\x0ad\\x1b[31m number=42 empty=\n"), "escapes: %.80s", line);

    log_start(&l, "flood");
    for (int i = 0; i < 20; i++)
        log_bytes(&l, "all", every, sizeof every);
    log_end(&l);
    dup2(saved, 2);
    n = read(fds[0], line, sizeof line);
    ok(n == LOG_MAX, "a long line is cut to %d bytes", LOG_MAX);
    ok(line[n - 1] == '\n' && printable(line, (size_t)n - 1), "and is one printable line");

    ok(log_escape(&sa, "two words\n", 10, 1) && sa.len == 13 && !memcmp(sa.s, "two words\\x0a", 13), "blanks may stay");
    return tap_done();
}
