/* lib/date.c against the C library's calendar. */

#include <string.h>
#include <time.h>

#include "lib/date.h"
#include "tests/tap.h"

static struct {
    uint64_t seconds;
    int east;
    char const *text;
} const rows[] = {
    {0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"},
    {951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"},
    {951868799, 0, "Tue, 29 Feb 2000 23:59:59 +0000"},
    {951868800, 0, "Wed, 1 Mar 2000 00:00:00 +0000"},
    {1795296600, 0, "Sat, 21 Nov 2026 21:30:00 +0000"},
    {1795296600, 60, "Sat, 21 Nov 2026 22:30:00 +0100"},
    {1795296600, -210, "Sat, 21 Nov 2026 18:00:00 -0330"},
    {1795296600, 345, "Sun, 22 Nov 2026 03:15:00 +0545"},
    {1795296600, 1440, "Sat, 21 Nov 2026 21:30:00 +0000"},
    {4107542400, 0, "Mon, 1 Mar 2100 00:00:00 +0000"},
    {60, -120, "Thu, 1 Jan 1970 00:00:00 -0200"},
    {253402300799, 0, "Fri, 31 Dec 9999 23:59:59 +0000"},
    {253402300799, 60, "Fri, 31 Dec 9999 23:59:59 +0100"},
    {253402300800, 0, "Fri, 31 Dec 9999 23:59:59 +0000"},
    {UINT64_MAX, 0, "Fri, 31 Dec 9999 23:59:59 +0000"},
};

/* One date a step over some 500 years. */
static int
same_as_libc(void)
{
    char ours[DATE_SIZE], theirs[64];

    for (uint64_t t = 0; t < 16000000000; t += 86399 * 3 + 7919) {
        time_t when = (time_t)t;
        struct tm tm;
        size_t len = date_fmt(ours, t, 0);
        gmtime_r(&when, &tm);
        strftime(theirs, sizeof theirs, "%a, %-d %b %Y %H:%M:%S +0000", &tm);
        if (strcmp(ours, theirs) || len != strlen(theirs))
            return 0;
    }
    return 1;
}

int
main(void)
{
    char s[DATE_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = date_fmt(s, rows[i].seconds, rows[i].east);
        ok(len == strlen(rows[i].text) && !strcmp(s, rows[i].text), "%s", rows[i].text);
    }
    ok(same_as_libc(), "60,000 dates as gmtime and strftime have them");
    return tap_done();
}
