#include "queue/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare(void const *a, void const *b)
{
    return memcmp(a, b, ID_SIZE);
}

static void
sort(stralloc *names)
{
    if (names->len)
        qsort(names->s, names->len / ID_SIZE, ID_SIZE, compare);
}

int
walk_names(stralloc *to, char const *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    to->len = 0;
    if (!d)
        return 0;
    while (errno = 0, (e = readdir(d)))
        if (id_valid(e->d_name, strlen(e->d_name)) && !stralloc_catb(to, e->d_name, ID_SIZE))
            break;
    int failed = errno;
    closedir(d);
    sort(to);
    return failed ? (errno = failed, 0) : 1;
}

enum item_state
walk_folder(char folder[static sizeof QUEUE_WAIT + 3], int step)
{
    if (step >= 1 && step <= 256) {
        (void)snprintf(folder, sizeof QUEUE_WAIT + 3, QUEUE_WAIT "/%02x", (unsigned int)(step - 1) & 255);
        return ITEM_WAIT;
    }
    (void)snprintf(folder, sizeof QUEUE_WAIT + 3, "%s", !step ? QUEUE_NEW : step == 257 ? QUEUE_HOLD : QUEUE_BAD);
    return !step ? ITEM_NEW : step == 257 ? ITEM_HOLD : ITEM_BAD;
}

static unsigned int
hex(char c)
{
    return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

unsigned int
walk_step(enum item_state state, char const *xx)
{
    if (state == ITEM_WAIT)
        return 1 + hex(xx[0]) * 16 + hex(xx[1]);
    return state == ITEM_NEW ? 0 : state == ITEM_HOLD ? 257 : 258;
}

void
walk_begin(struct walk *w, struct select const *s, unsigned int usual)
{
    *w = (struct walk){.select = s, .states = s->states ? s->states : usual, .step = -1};
}

/* The IDs asked for, whole ones: so few files are looked for by name, in whatever folder. */
static int
wanted(struct walk *w)
{
    stralloc const *id = &w->select->id;
    char const *end = w->folder + strlen(w->folder) - 2;

    w->names.len = 0;
    for (size_t at = 0; at < id->len; at += ID_SIZE)
        if ((w->state != ITEM_WAIT || !memcmp(end, id->s + at + ID_LEN - 2, 2)) &&
            !stralloc_catb(&w->names, id->s + at, ID_SIZE))
            return 0;
    sort(&w->names);
    return 1;
}

/* Returns 1, 0 at the end, -1 with errno. */
static int
next_folder(struct walk *w)
{
    int good;

    if (!w->step) { /* what is met in wait/ later may be one of these, moved on */
        stralloc_free(&w->new);
        w->new = w->names;
        w->names = (stralloc)STRALLOC_ZERO;
    }
    do
        if (++w->step >= WALK_STEPS)
            return 0;
    while (!(w->states & 1u << (w->state = walk_folder(w->folder, w->step))));
    w->at = 0;
    good = w->select->id.len && !w->select->inexact ? wanted(w) : walk_names(&w->names, w->folder);
    if (good || errno == ENOENT)
        return 1;
    w->names.len = 0;
    return -1;
}

static int
seen(struct walk const *w, char const *id)
{
    return w->state == ITEM_WAIT && w->new.len && (!w->select->id.len || w->select->inexact) &&
           bsearch(id, w->new.s, w->new.len / ID_SIZE, ID_SIZE, compare);
}

int
walk_next(struct walk *w, char const **id)
{
    for (;;) {
        while (w->at < w->names.len) {
            *id = w->names.s + w->at;
            w->at += ID_SIZE;
            if (!seen(w, *id) && select_name(w->select, *id))
                return 1;
        }
        int got = next_folder(w);
        if (got != 1)
            return got;
    }
}

void
walk_free(struct walk *w)
{
    stralloc_free(&w->names);
    stralloc_free(&w->new);
}
