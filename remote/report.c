#include "remote/report.h"

#include <string.h>

#include <skalibs/types.h>

#include "queue/job.h"

/* ---- jobs ---- */

#define RANGES_MAX (ENVELOPE_VALUE_MAX - 2 * UINT32_FMT - 2) /* a record's value, less the longest range */

static int
put_range(stralloc *ranges, uint32_t first, uint32_t last)
{
    char text[2 * UINT32_FMT + 2];
    size_t len = 0;

    if (ranges->len)
        text[len++] = ',';
    len += uint32_fmt(text + len, first);
    if (last > first) {
        text[len++] = '-';
        len += uint32_fmt(text + len, last);
    }
    return stralloc_catb(ranges, text, len);
}

/* The recipients from `at` on that share its outcome, as "0-3,7". */
static int
gather(struct delivery *d, size_t at, stralloc *ranges)
{
    uint32_t outcome = d->recipients[at].outcome;
    uint32_t first = d->recipients[at].index;
    uint32_t last = first;

    d->recipients[at].reported = 1;
    ranges->len = 0;
    while (++at < d->count && ranges->len < RANGES_MAX) {
        struct recipient *r = d->recipients + at;
        if (r->state != RECIPIENT_SETTLED || r->reported || r->outcome != outcome)
            continue;
        r->reported = 1;
        if (r->index != last + 1) {
            if (!put_range(ranges, first, last))
                return 0;
            first = r->index;
        }
        last = r->index;
    }
    return put_range(ranges, first, last);
}

int
report_results(struct delivery *d, uint64_t job, stralloc *to)
{
    stralloc ranges = STRALLOC_ZERO;
    int good = 1;

    for (size_t i = 0; good && i < d->count; i++) {
        if (d->recipients[i].state != RECIPIENT_SETTLED || d->recipients[i].reported)
            continue;
        struct outcome const *o = d->outcomes + d->recipients[i].outcome;
        good = gather(d, i, &ranges);
        struct result r = {.job = job,
                           .class = o->class,
                           .code = {o->code, strlen(o->code)},
                           .to = {ranges.s, ranges.len},
                           .remote = {d->texts.s + o->remote, o->remotelen},
                           .text = {d->texts.s + o->text, o->textlen},
                           .site = d->site,
                           .dsn = o->dsn};
        good = good && result_put(to, &r);
    }
    stralloc_free(&ranges);
    return good;
}

/* ---- qmail-remote's reports ---- */

/* A text of ours, with the code in qmail's way, or what the host said. */
static int
print_text(struct delivery const *d, struct outcome const *o, char const *what, stralloc *to)
{
    char const *text = d->texts.s + o->text;
    char const *remote = d->texts.s + o->remote;
    int said = o->textlen >= 3 && o->remotelen && text[0] >= '2' && text[0] <= '5' && text[1] >= '0' && text[1] <= '9';
    size_t begin = to->len;

    if (said) {
        if (!stralloc_catb(to, remote, o->remotelen) || !stralloc_cats(to, what) ||
            !stralloc_cats(to, "\nRemote host said: ") || !stralloc_catb(to, text, o->textlen))
            return 0;
    } else {
        if ((o->remotelen && (!stralloc_catb(to, remote, o->remotelen) || !stralloc_cats(to, ": "))) ||
            !stralloc_catb(to, text, o->textlen) || !stralloc_cats(to, " (#") || !stralloc_cats(to, o->code) ||
            !stralloc_cats(to, ")"))
            return 0;
    }
    for (size_t i = begin; i < to->len; i++) /* NUL ends a report */
        if (!to->s[i])
            to->s[i] = ' ';
    return stralloc_cats(to, "\n") && stralloc_0(to);
}

static struct outcome const *
outcome_of(struct delivery const *d, size_t i)
{
    struct recipient const *r = d->recipients + i;

    return r->state == RECIPIENT_SETTLED && r->outcome < d->noutcomes ? d->outcomes + r->outcome : 0;
}

/* The outcome that becomes the message's: a delivery, or what happened to all who were not refused one by one. */
static struct outcome const *
common(struct delivery const *d)
{
    struct outcome const *best = 0;

    for (size_t i = 0; i < d->count; i++) {
        struct outcome const *o = outcome_of(d, i);
        if (!o || o->own)
            continue;
        if (o->class == 'K')
            return o;
        if (!best || (o->class == 'Z' && best->class == 'D'))
            best = o;
    }
    return best;
}

static int
print_recipient(struct delivery const *d, size_t i, struct outcome const *message, stralloc *to)
{
    struct outcome const *o = outcome_of(d, i);

    if (!o)
        return stralloc_cats(to, "sI have run out of memory. (#4.3.0)\n") && stralloc_0(to);
    if (o->class == 'K' || (message && !o->own && o->class == message->class))
        return stralloc_cats(to, "r") && stralloc_0(to);
    return stralloc_cats(to, o->class == 'D' ? "h" : "s") && print_text(d, o, " does not like recipient.", to);
}

int
report_print(struct delivery const *d, stralloc *to)
{
    struct outcome const *message = common(d);
    int any = 0;

    /* When it came to no recipient at all there are no reports of them. */
    for (size_t i = 0; i < d->count; i++) {
        struct outcome const *o = outcome_of(d, i);
        any |= !o || o->own || o->accepted || o->class == 'K';
    }
    for (size_t i = 0; any && i < d->count; i++)
        if (!print_recipient(d, i, message, to))
            return 0;
    if (!message)
        return stralloc_cats(to, "DGiving up: no recipient was accepted.\n") && stralloc_0(to);
    if (!stralloc_append(to, message->class))
        return 0;
    return print_text(d, message, message->class == 'K' ? " accepted message." : " failed after I connected.", to);
}
