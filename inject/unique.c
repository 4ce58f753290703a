#include <stdlib.h>
#include <string.h>

#include <skalibs/alloc.h>

#include "inject/unique.h"

struct string {
    char *s;
    size_t len; /* with its NUL */
    int again;
};

static int
by_text(void const *a, void const *b)
{
    struct string const *s = a, *t = b;
    int r = strcmp(s->s, t->s);

    return r ? r : (s->s > t->s) - (s->s < t->s);
}

static int
by_place(void const *a, void const *b)
{
    struct string const *s = a, *t = b;

    return (s->s > t->s) - (s->s < t->s);
}

static size_t
count(stralloc const *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->len; i += strlen(list->s + i) + 1)
        n++;
    return n;
}

int
unique_strings(stralloc *list)
{
    size_t n = count(list), to = 0;
    struct string *all;

    if (n < 2)
        return 1;
    all = alloc(n * sizeof *all);
    if (!all)
        return 0;
    for (size_t i = 0, at = 0; i < n; at += all[i++].len)
        all[i] = (struct string){list->s + at, strlen(list->s + at) + 1, 0};
    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 1; i < n; i++)
        all[i].again = !strcmp(all[i].s, all[i - 1].s);
    qsort(all, n, sizeof *all, by_place);
    for (size_t i = 0; i < n; i++)
        if (!all[i].again) {
            memmove(list->s + to, all[i].s, all[i].len);
            to += all[i].len;
        }
    list->len = to;
    free(all);
    return 1;
}
