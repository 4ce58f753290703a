/* Days to year, month and day: the era of 400 years (146,097 days) that begins
 * on 1 March of the year 0, so that the leap day is the last of its year. */

#include "lib/date.h"

#include <string.h>

#define DATE_LAST 253402300799u /* 9999-12-31 23:59:59 */

struct day {
    unsigned int year, month, day; /* month from 0 */
};

static struct day
day_of(uint64_t days)
{
    uint64_t z = days + 719468;
    unsigned int in_era = (unsigned int)(z % 146097);
    unsigned int year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned int in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned int from_march = (5 * in_year + 2) / 153;

    return (struct day){
        .year = (unsigned int)(z / 146097) * 400 + year + (from_march >= 10),
        .month = (from_march + 2) % 12,
        .day = in_year - (153 * from_march + 2) / 5 + 1,
    };
}

static char *
digits(char *s, unsigned int n, unsigned int width)
{
    for (unsigned int i = width; i--; n /= 10)
        s[i] = (char)('0' + n % 10);
    return s + width;
}

static char *
word(char *s, char const *w, size_t len)
{
    memcpy(s, w, len);
    return s + len;
}

size_t
date_fmt(char s[static DATE_SIZE], uint64_t seconds, int east)
{
    static char const days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static char const months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char *p = s;

    if (east < -1439 || east > 1439)
        east = 0;
    uint64_t local = seconds;
    if (east >= 0)
        local += (uint64_t)east * 60;
    else
        local = local > (uint64_t)-east * 60 ? local - (uint64_t)-east * 60 : 0;
    if (seconds > DATE_LAST || local > DATE_LAST)
        local = DATE_LAST;

    struct day d = day_of(local / 86400);
    unsigned int second = (unsigned int)(local % 86400), zone = (unsigned int)(east < 0 ? -east : east);

    p = word(p, days[local / 86400 % 7], 3);
    p = word(p, ", ", 2);
    p = digits(p, d.day, d.day < 10 ? 1 : 2);
    *p++ = ' ';
    p = word(p, months[d.month], 3);
    *p++ = ' ';
    p = digits(p, d.year, 4);
    *p++ = ' ';
    p = digits(p, second / 3600, 2);
    *p++ = ':';
    p = digits(p, second / 60 % 60, 2);
    *p++ = ':';
    p = digits(p, second % 60, 2);
    p = word(p, east < 0 ? " -" : " +", 2);
    p = digits(p, zone / 60, 2);
    p = digits(p, zone % 60, 2);
    *p = 0;
    return (size_t)(p - s);
}
