/* queue/space: the rule as a table, and sessions that share it. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "queue/space.h"
#include "tests/tap.h"

static struct {
    uint64_t bytes, announced, free, minfree;
    int fits;
} const table[] = {
    {0, 0, 0, 0, 1},
    {1, 0, 0, 0, 0},
    {0, 0, 9, 10, 0},
    {0, 0, 10, 10, 1},
    {1, 0, 10, 10, 0},
    {100, 0, 110, 10, 1},
    {101, 0, 110, 10, 0},
    {50, 50, 110, 10, 1},
    {51, 50, 110, 10, 0},
    {0, 101, 110, 10, 0},
    {UINT64_MAX, 0, UINT64_MAX, 0, 1},
    {UINT64_MAX, 1, UINT64_MAX, 0, 0},
    {0, UINT64_MAX, UINT64_MAX, 10, 0},
    {UINT64_MAX, UINT64_MAX, 1000, 10, 0},
};

int
main(void)
{
    static char home[] = "/tmp/pneu-space.XXXXXX";
    struct space s = {.minfree = 0};
    uint64_t huge = UINT64_MAX / 2;
    int status;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ok(space_fits(table[i].bytes, table[i].announced, table[i].free, table[i].minfree) == table[i].fits, "row %zu",
           i);
    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("queue", 0700) == -1)
        return 111;
    ok(space_init(&s, 4), "an array");
    ok(space_take(&s, 0, 1000, 0), "a little fits");
    ok(!space_take(&s, 1, huge, 0) && errno == ENOSPC, "more than any disk does not");
    ok(!s.announced[1], "and is not announced");
    pid_t pid = fork();
    if (!pid) {
        s.announced[3] = huge; /* another session, another process */
        _exit(0);
    }
    waitpid(pid, &status, 0);
    ok(!space_take(&s, 1, 1, 0) && errno == ENOSPC, "what another session announced counts");
    space_give(&s, 3);
    ok(space_take(&s, 1, 1, 0), "until it is written");
    s.minfreeinodes = UINT32_MAX;
    ok(!space_take(&s, 1, 1, 0) || chdir("/") == -1, "inodes");
    s.minfreeinodes = 0;
    if (chdir(home) == 0 && rmdir("queue") == 0)
        ok(!space_take(&s, 1, 1, 0) && errno == ENOENT, "no queue: an error");
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
