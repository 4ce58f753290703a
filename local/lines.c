/* The lines that stand before a delivered message. */

#include <string.h>

#include "lib/addr.h"
#include "lib/date.h"
#include "local/delivery.h"

/* Bytes that would end the line, or more, become '_'. */
static void
tame(char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            s[i] = '_';
}

static int
put_returnpath(stralloc *to, char const *sender)
{
    size_t begin;

    if (!stralloc_cats(to, "Return-Path: <"))
        return 0;
    begin = to->len;
    if (*sender && !addr_quote(to, sender, strlen(sender))) {
        to->len = begin; /* not an address of SMTP, "#@[]" for example */
        if (!stralloc_cats(to, sender))
            return 0;
    }
    tame(to->s + begin, to->len - begin);
    return stralloc_cats(to, ">\n");
}

static int
put_deliveredto(stralloc *to, char const *local, char const *host)
{
    size_t begin = to->len;
    int good = stralloc_cats(to, "Delivered-To: ") && stralloc_cats(to, local) &&
               (!*host || (stralloc_cats(to, "@") && stralloc_cats(to, host)));

    if (good)
        tame(to->s + begin, to->len - begin);
    return good && stralloc_cats(to, "\n");
}

/* "From joe@example.org Sat Nov 21 21:30:00 2026", in UTC, as asctime has it.
 */
static int
put_from(stralloc *to, char const *sender, uint64_t now)
{
    char date[DATE_SIZE];
    size_t begin;

    date_fmt(date, now, 0); /* Sat, 21 Nov 2026 21:30:00 +0000, or Sun, 1 Nov ... */
    char const *day = date + 5;
    size_t digits = day[1] == ' ' ? 1 : 2;
    char const *month = day + digits + 1, *year = month + 4, *clock = year + 5;
    if (!stralloc_cats(to, "From "))
        return 0;
    begin = to->len;
    if (!stralloc_cats(to, *sender ? sender : "MAILER-DAEMON"))
        return 0;
    for (size_t i = begin; i < to->len; i++)
        if ((unsigned char)to->s[i] <= 0x20 || to->s[i] == 0x7f)
            to->s[i] = '-';
    return stralloc_append(to, ' ') && stralloc_catb(to, date, 3) && stralloc_append(to, ' ') &&
           stralloc_catb(to, month, 3) && stralloc_catb(to, "  ", 3 - digits) && stralloc_catb(to, day, digits) &&
           stralloc_append(to, ' ') && stralloc_catb(to, clock, 8) && stralloc_append(to, ' ') &&
           stralloc_catb(to, year, 4) && stralloc_append(to, '\n');
}

int
delivery_lines(struct delivery *d, uint64_t now)
{
    d->prefix.len = d->from.len = 0;
    if (!put_returnpath(&d->prefix, d->sender))
        return 0;
    d->prefixed = d->prefix.len;
    return put_deliveredto(&d->prefix, d->local, d->host) && put_from(&d->from, d->sender, now);
}

struct bytes
delivery_returnpath(struct delivery const *d)
{
    return (struct bytes){d->prefix.s, d->prefixed};
}

struct bytes
delivery_deliveredto(struct delivery const *d)
{
    return (struct bytes){d->prefix.s + d->prefixed, d->prefix.len - d->prefixed};
}
