#include "lib/unstack.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096u
#define BELOW (16 * PAGE)
#define FRAMES 512 /* bytes: more than this function's frame and madvise's own */

void
unstack(void)
{
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - FRAMES) & ~(uintptr_t)(PAGE - 1);

    (void)madvise((void *)(end - BELOW), BELOW, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
}
