#include "operator/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVERY 200 /* milliseconds */

static uint64_t
clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
progress_begin(struct progress *p)
{
    p->shown = isatty(2);
    p->dirty = 0;
    p->next = clock_now() + EVERY;
}

void
progress_step(struct progress *p, uint64_t n, char const *word)
{
    char line[64];
    uint64_t now;

    if (!p->shown || n % 64 || (now = clock_now()) < p->next)
        return;
    p->next = now + EVERY;
    p->dirty = 1;
    (void)!write(2, line, (size_t)snprintf(line, sizeof line, "\r%llu %s\033[K", (unsigned long long)n, word));
}

void
progress_clear(struct progress *p)
{
    if (p->dirty)
        (void)!write(2, "\r\033[K", 4);
    p->dirty = 0;
}
