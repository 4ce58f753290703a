#include "lib/unstack.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096u
#define BELOW (16 * PAGE)

void
unstack(void)
{
    /* The page this frame is in stays, and the one below it, where madvise's own frame may lie. */
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(PAGE - 1)) - PAGE;

    (void)madvise((void *)(end - BELOW), BELOW, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
}
