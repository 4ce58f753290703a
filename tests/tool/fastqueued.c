/* pneu-queued under a clock that runs faster (fastclock.h). */

#undef _FORTIFY_SOURCE /* its poll would be inline, and ask the C library */

int pneu_queued(int, char const *const *);

#define main pneu_queued
#include "queue/pneu-queued.c"
#undef main

#include "tests/tool/fastclock.h"

int
main(int argc, char const *const *argv)
{
    return pneu_queued(argc, argv);
}
