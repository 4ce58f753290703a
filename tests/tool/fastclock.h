/* A clock that runs faster and can be set, for one program: whoever includes this has these in place of the C library's functions.
 *
 * $FASTCLOCK is a file of three 64-bit numbers: how fast it runs; CLOCK_BOOTTIME in seconds at which it began; and the time of the wall
 * less its own, which may be changed at any time. CLOCK_BOOTTIME and CLOCK_REALTIME are what it says, and poll waits as it does; all
 * other clocks go as ever. */

#ifndef PNEU_TESTS_TOOL_FASTCLOCK_H
#define PNEU_TESTS_TOOL_FASTCLOCK_H

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FASTCLOCK_BEGIN 1000 /* seconds that the machine is up when it begins */

struct fastclock {
    int64_t rate, since, wall;
};

static struct fastclock const volatile *fastclock;

/* Before main, which may shut itself up. */
__attribute__((constructor)) static void
fastclock_open(void)
{
    char const *path = getenv("FASTCLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd == -1 ? MAP_FAILED : mmap(0, sizeof *fastclock, PROT_READ, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        _exit(111);
    close(fd);
    fastclock = at;
}

/* CLOCK_REALTIME behind CLOCK_BOOTTIME is read at the same moment: what is a microsecond between them is none of the test's hours. */
int
clock_gettime(clockid_t id, struct timespec *t)
{
    static int64_t ns;
    static int is_read;

    if (id != CLOCK_BOOTTIME && id != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_BOOTTIME || !is_read) {
        if (syscall(SYS_clock_gettime, CLOCK_BOOTTIME, t) == -1)
            return -1;
        ns = ((t->tv_sec - fastclock->since) * INT64_C(1000000000) + t->tv_nsec) * fastclock->rate;
    }
    is_read = id == CLOCK_BOOTTIME;
    t->tv_sec = FASTCLOCK_BEGIN + ns / 1000000000 + (id == CLOCK_REALTIME ? fastclock->wall : 0);
    t->tv_nsec = ns % 1000000000;
    return 0;
}

time_t
time(time_t *to)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (to)
        *to = t.tv_sec;
    return t.tv_sec;
}

int
poll(struct pollfd *x, nfds_t n, int ms)
{
    int64_t ns = ms * INT64_C(1000000) / fastclock->rate;
    struct timespec limit = {ns / 1000000000, ns % 1000000000};

    return ppoll(x, n, ms < 0 ? 0 : &limit, 0);
}

#endif
