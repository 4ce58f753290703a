#include "send/wake.h"

#include <errno.h>
#include <stdlib.h>

#include "send/send.h"

static void
put(struct wakes *w, uint32_t at, struct dest *d)
{
    w->list[at] = d;
    d->wakeat = at;
}

static void
rise(struct wakes *w, uint32_t at)
{
    struct dest *d = w->list[at];

    for (; at > 1 && w->list[at / 2]->wake > d->wake; at /= 2)
        put(w, at, w->list[at / 2]);
    put(w, at, d);
}

static void
sink(struct wakes *w, uint32_t at)
{
    struct dest *d = w->list[at];

    for (uint32_t child; (child = 2 * at) <= w->count; at = child) {
        if (child < w->count && w->list[child + 1]->wake < w->list[child]->wake)
            child++;
        if (w->list[child]->wake >= d->wake)
            break;
        put(w, at, w->list[child]);
    }
    put(w, at, d);
}

int
wake_at(struct wakes *w, struct dest *d, uint64_t when)
{
    if (d->wakeat) {
        if (when < d->wake) {
            d->wake = when;
            rise(w, d->wakeat);
        }
        return 1;
    }
    if (w->count + 2 > w->room) {
        uint32_t room = 2 * w->room + 64;
        struct dest **list = realloc(w->list, room * sizeof(struct dest *));
        if (!list)
            return (errno = ENOMEM, 0);
        w->list = list;
        w->room = room;
    }
    d->wake = when;
    put(w, ++w->count, d);
    rise(w, w->count);
    return 1;
}

void
wake_forget(struct wakes *w, struct dest *d)
{
    uint32_t at = d->wakeat;
    struct dest *last;

    if (!at)
        return;
    d->wakeat = 0;
    last = w->list[w->count--];
    if (last == d)
        return;
    put(w, at, last);
    rise(w, at);
    sink(w, last->wakeat);
}

struct dest *
wake_due(struct wakes *w, uint64_t now)
{
    struct dest *d = w->count ? w->list[1] : 0;

    if (!d || d->wake > now)
        return 0;
    wake_forget(w, d);
    return d;
}

uint64_t
wake_first(struct wakes const *w)
{
    return w->count ? w->list[1]->wake : UINT64_MAX;
}
