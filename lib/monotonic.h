/* A clock that nobody sets. */

#ifndef PNEU_LIB_MONOTONIC_H
#define PNEU_LIB_MONOTONIC_H

#include <stdint.h>

extern int64_t monotonic_ms(void);

#endif
