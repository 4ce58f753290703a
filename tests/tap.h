/* Tests that print TAP: ok(condition, "name %d", n), and at the end return
 * tap_done(). */

#ifndef PNEU_TESTS_TAP_H
#define PNEU_TESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline int
ok(int good, char const *name, ...)
{
    va_list ap;
    va_start(ap, name);
    printf("%sok %d - ", good ? "" : "not ", ++tap_count);
    vprintf(name, ap);
    putchar('\n');
    fflush(stdout);
    va_end(ap);
    tap_failed += !good;
    return good;
}

static inline int
tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
