#include "operator/order.h"

#include <stdlib.h>
#include <string.h>

#define FROM_LEN 64 /* bytes of a sender that decide */

struct entry {
    uint64_t number;
    char text[FROM_LEN];
    size_t begin, end;
};

int
order_named(struct order *o, char const *key)
{
    static char const *const keys[] = {"id", "age", "size", "next", "tries", "from"};

    for (unsigned int i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i]))
            return (o->key = *key, 1);
    return 0;
}

/* The biggest number first, but for the next attempt, where the soonest is. */
static uint64_t
number(char key, struct item const *i)
{
    switch (key) {
    case 'a':
        return i->arrival;
    case 's':
        return UINT64_MAX - (i->why ? (uint64_t)i->st.st_size : i->file.header.message);
    case 'n':
        return i->state == ITEM_NEW ? 0 : i->state == ITEM_WAIT ? (uint64_t)i->st.st_mtime : UINT64_MAX;
    case 't':
        return UINT64_MAX - i->tries;
    default:
        return 0;
    }
}

static void
lower(char *to, struct bytes from)
{
    for (size_t i = 0; i < FROM_LEN; i++) {
        char c = i < from.len ? from.s[i] : 0;
        to[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

int
order_add(struct order *o, struct item const *i, size_t begin, size_t end)
{
    struct entry e = {.number = number(o->key, i), .begin = begin, .end = end};

    if (o->key == 'f')
        lower(e.text, i->from);
    else if (o->key == 'i')
        memcpy(e.text, i->id, ID_LEN);
    return stralloc_catb(&o->entries, (char const *)&e, sizeof e);
}

static int
compare(void const *a, void const *b)
{
    struct entry const *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    int c = memcmp(x->text, y->text, FROM_LEN);
    return c ? c : x->begin < y->begin ? -1 : 1;
}

int
order_sort(struct order *o, stralloc *text, stralloc *sorted)
{
    size_t n = o->entries.len / sizeof(struct entry);
    struct entry *all = (struct entry *)(void *)o->entries.s;

    if (n)
        qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++) {
        struct entry const *e = all + (o->reverse ? n - 1 - i : i);
        if (!stralloc_catb(sorted, text->s + e->begin, e->end - e->begin))
            return 0;
    }
    stralloc_free(text);
    return 1;
}
