#include "queue/space.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/statfs.h>

int
space_init(struct space *s, size_t slots)
{
    void *p = mmap(0, slots * sizeof *s->announced, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return 0;
    s->announced = p;
    s->slots = slots;
    return 1;
}

int
space_fits(uint64_t bytes, uint64_t announced, uint64_t free_bytes, uint64_t minfree)
{
    uint64_t wanted = minfree + announced;

    if (wanted < announced) /* wrapped: announced by somebody who means no good */
        return 0;
    return wanted <= free_bytes && bytes <= free_bytes - wanted;
}

/* Sums the others up. Sums that would wrap stay at the top. */
static uint64_t
announced(struct space const *s, size_t but)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->slots; i++) {
        uint64_t n = i == but ? 0 : atomic_load_explicit(s->announced + i, memory_order_relaxed);
        sum = sum + n < sum ? UINT64_MAX : sum + n;
    }
    return sum;
}

int
space_take(struct space const *s, size_t slot, uint64_t bytes, int half)
{
    struct statfs disk;
    uint64_t minfree = half ? s->minfree / 2 : s->minfree;
    uint64_t inodes = half ? s->minfreeinodes / 2 : s->minfreeinodes;

    if (statfs("queue", &disk) == -1)
        return 0;
    /* Announced first, summed up then: of two sessions that come at a time,
     * both may be refused, never both let in. */
    atomic_store(s->announced + slot, bytes);
    if (space_fits(bytes, announced(s, slot), (uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize, minfree) &&
        (!disk.f_files || disk.f_ffree > inodes)) /* f_files is 0 where inodes have no limit */
        return 1;
    space_give(s, slot);
    return (errno = ENOSPC, 0);
}

void
space_give(struct space const *s, size_t slot)
{
    atomic_store(s->announced + slot, 0);
}
