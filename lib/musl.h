/* System calls and functions that glibc has and musl (1.2.3) has not: for ./do build musl. */

#ifndef PNEU_LIB_MUSL_H
#define PNEU_LIB_MUSL_H

#ifndef __GLIBC__

#include <sys/syscall.h>
#include <unistd.h>

#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define renameat2(from, a, to, b, flags) ((int)syscall(__NR_renameat2, from, a, to, b, flags))
#define close_range(first, last, flags) ((int)syscall(__NR_close_range, first, last, flags))

/* musl keeps no state there: its res_mkquery is glibc's res_nmkquery. */
#define res_nmkquery(state, ...) ((void)(state), res_mkquery(__VA_ARGS__))

#endif

#endif
