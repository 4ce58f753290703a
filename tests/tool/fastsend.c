/* pneu-send under a clock that runs faster (fastclock.h). */

#undef _FORTIFY_SOURCE /* its poll would be inline, and ask the C library */

int pneu_send(int, char const *const *);

#define main pneu_send
#include "send/pneu-send.c"
#undef main

#include "tests/tool/fastclock.h"

int
main(int argc, char const *const *argv)
{
    return pneu_send(argc, argv);
}
