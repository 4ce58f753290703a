/* The queue by domain: how many recipients wait for whom, since when, and what their hosts said last. */

#include <stdlib.h>
#include <string.h>

#include <skalibs/types.h>

#include "lib/json.h"
#include "lib/log.h"
#include "queue/envelope.h"
#include "queue/list.h"

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int
is_named(struct list_domain const *d, struct bytes name)
{
    if (d->len != name.len)
        return 0;
    for (size_t i = 0; i < name.len; i++)
        if (d->name[i] != lower(name.s[i]))
            return 0;
    return 1;
}

/* Finds the domain, or makes it. NULL: ENOMEM. */
static struct list_domain *
domain(struct list_summary *s, struct bytes name)
{
    uint32_t hash = 5381;
    struct list_domain *d;

    for (size_t i = 0; i < name.len; i++)
        hash = hash * 33 + (unsigned char)lower(name.s[i]);
    hash = (hash ^ hash >> 16) % LIST_CHAINS;
    for (d = s->chains[hash]; d; d = d->next)
        if (is_named(d, name))
            return d;
    d = calloc(1, sizeof *d + name.len);
    if (!d)
        return 0;
    d->len = name.len;
    for (size_t i = 0; i < name.len; i++)
        d->name[i] = lower(name.s[i]);
    d->oldest = d->soonest = UINT64_MAX;
    d->next = s->chains[hash];
    s->chains[hash] = d;
    s->domains++;
    return d;
}

/* The first of its recipients there. */
static int
take_message(struct list_domain *d, struct item const *i, uint64_t number, uint64_t now)
{
    uint64_t next = i->state == ITEM_NEW || i->state == ITEM_WAIT ? now + list_next(i, now) : UINT64_MAX;

    d->last = number;
    d->messages++;
    d->bytes += i->file.header.message;
    if (i->arrival < d->oldest)
        d->oldest = i->arrival;
    if (next < d->soonest)
        d->soonest = next;
    if (!i->tries || i->last.time < d->replied)
        return 1;
    d->replied = i->last.time;
    d->reply.len = 0;
    return stralloc_catb(&d->reply, i->last.text.s, i->last.text.len);
}

int
list_count(struct list_summary *s, struct item const *i, uint64_t now)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;

    if (i->why) {
        s->damaged++;
        return 1;
    }
    s->messages++;
    s->bytes += i->file.header.message;
    while (envelope_recipient(&cursor, &r)) {
        if (!item_open_status(i->file.status[n++]))
            continue;
        struct list_domain *d = domain(s, item_domain(r.value));
        if (!d || (d->last != s->messages && !take_message(d, i, s->messages, now)))
            return 0;
        d->recipients++;
        s->recipients++;
    }
    return 1;
}

static int
most_first(void const *a, void const *b)
{
    struct list_domain const *x = *(struct list_domain const *const *)a, *y = *(struct list_domain const *const *)b;

    if (x->recipients != y->recipients)
        return x->recipients > y->recipients ? -1 : 1;
    int c = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
    return c ? c : x->len < y->len ? -1 : 1;
}

static int
put_uint(stralloc *to, uint64_t n)
{
    char digits[UINT64_FMT + 1];
    size_t len = uint64_fmt(digits, n);

    digits[len++] = ' ';
    return stralloc_catb(to, digits, len);
}

static int
put_next(stralloc *to, struct list_domain const *d, uint64_t now)
{
    return d->soonest == UINT64_MAX ? stralloc_catb(to, "- ", 2) : put_uint(to, d->soonest - now);
}

static int
put_line(stralloc *to, struct list_domain const *d, uint64_t now)
{
    return put_uint(to, d->recipients) && put_uint(to, d->messages) && put_uint(to, d->bytes) &&
           put_uint(to, now > d->oldest ? now - d->oldest : 0) && put_next(to, d, now) &&
           (d->len ? log_escape(to, d->name, d->len, 0) : stralloc_catb(to, "-", 1)) && stralloc_catb(to, " ", 1) &&
           (d->reply.len ? list_printable(to, (struct bytes){d->reply.s, d->reply.len}) : stralloc_catb(to, "-", 1)) &&
           stralloc_catb(to, "\n", 1);
}

static int
put_json(stralloc *to, struct list_domain const *d, uint64_t now)
{
    return stralloc_catb(to, "{", 1) && json_text(to, "domain", d->name, d->len) &&
           json_uint(to, "recipients", d->recipients) && json_uint(to, "messages", d->messages) &&
           json_uint(to, "bytes", d->bytes) && json_uint(to, "oldest", now > d->oldest ? now - d->oldest : 0) &&
           (d->soonest == UINT64_MAX || json_uint(to, "next", d->soonest - now)) &&
           json_text(to, "last", d->reply.s, d->reply.len) && stralloc_catb(to, "}\n", 2);
}

int
list_summary(stralloc *to, struct list_summary const *s, uint64_t now, int json)
{
    struct list_domain const **all = malloc((s->domains + 1) * sizeof(void *));
    size_t n = 0;
    int good = all != 0;

    if (!all)
        return 0;
    for (size_t i = 0; i < LIST_CHAINS; i++)
        for (struct list_domain const *d = s->chains[i]; d; d = d->next)
            all[n++] = d;
    qsort(all, n, sizeof(void *), most_first);
    for (size_t i = 0; i < n && good; i++)
        good = json ? put_json(to, all[i], now) : put_line(to, all[i], now);
    free(all);
    return good;
}
