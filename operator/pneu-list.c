/* pneu-list(8): prints the queue. Changes nothing, and waits for nobody. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "lib/exits.h"
#include "operator/heldby.h"
#include "operator/order.h"
#include "operator/progress.h"
#include "operator/start.h"
#include "queue/list.h"
#include "queue/walk.h"

#define USAGE                                                                                                          \
    "pneu-list [ -bcjrs ] [ -o key ] [ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)
#define OUT_SIZE 65536
#define EVERYWHERE (1 << ITEM_NEW | 1 << ITEM_WAIT | 1 << ITEM_HOLD | 1 << ITEM_BAD)

struct listing {
    struct select select;
    struct order order;
    struct list_summary *summary;
    struct progress progress;
    struct held held;
    stralloc out;
    uint64_t now, looked;
    int brief, prove, json, asks, failed;
};

static void
flush(struct listing *l)
{
    progress_clear(&l->progress);
    if (allwrite(1, l->out.s, l->out.len) != l->out.len)
        strerr_diefusys(EXIT_TEMP, "write");
    l->out.len = 0;
}

static void
no_memory(void)
{
    strerr_diefusys(EXIT_TEMP, "print the queue");
}

static void
print(struct listing *l, struct item const *i)
{
    size_t begin = l->out.len;

    if (l->summary ? !list_count(l->summary, i, l->now)
        : l->json  ? !list_json(&l->out, i, l->now, 0)
                   : !list_line(&l->out, i, l->now) || (!l->brief && !list_recipients(&l->out, i)))
        no_memory();
    if (l->order.key && !order_add(&l->order, i, begin, l->out.len))
        no_memory();
    if (!l->order.key && l->out.len >= OUT_SIZE)
        flush(l);
}

static void
look(struct listing *l, struct item *i, struct walk const *w, char const *id)
{
    int got = item_open(i, w->folder, w->state, id, l->prove);

    progress_step(&l->progress, ++l->looked, "messages");
    if (got == -1) {
        strerr_warnwu2sys("read ", i->path);
        l->failed = 1;
    }
    if (got != 1)
        return;
    if (select_item(&l->select, i, l->now)) {
        if (l->asks && !heldby(&l->held, i)) {
            strerr_warnwu2sys("tell what holds ", i->path);
            l->asks = 0; /* nor the others: once is enough */
            l->failed = 1;
        }
        print(l, i);
    }
    item_close(i);
}

static void
walk(struct listing *l)
{
    struct item item = ITEM_ZERO;
    struct walk w;
    char const *id;
    int got;

    walk_begin(&w, &l->select, EVERYWHERE);
    while ((got = walk_next(&w, &id)))
        if (got == 1)
            look(l, &item, &w, id);
        else if (errno == ENOMEM)
            no_memory();
        else if (errno == EACCES && !w.step) /* nor the others: once is enough */
            strerr_diefusys(EXIT_TEMP, "read ", w.folder);
        else {
            strerr_warnwu2sys("read ", w.folder);
            l->failed = 1;
        }
    walk_free(&w);
    item_free(&item);
}

static void
finish(struct listing *l)
{
    stralloc sorted = STRALLOC_ZERO;

    if (l->summary && !list_summary(&l->out, l->summary, l->now, l->json))
        no_memory();
    if (l->order.key) {
        if (!order_sort(&l->order, &l->out, &sorted))
            no_memory();
        l->out = sorted;
    }
    flush(l);
}

/* A setting that cannot be read is pneu-control's matter: what is in the queue can be told all the same. */
static void
ask_settings(struct listing *l)
{
    char const *which;

    l->asks = !l->summary && (l->json || !l->brief);
    if (!l->asks || held_read(&l->held, &which))
        return;
    strerr_warnwu2sys("read ", which);
    l->asks = 0;
}

static void
option(struct listing *l, int o, char const *arg)
{
    if (start_filter(&l->select, o, arg))
        return;
    switch (o) {
    case 'b':
        l->brief = 1;
        break;
    case 'c':
        l->prove = 1;
        break;
    case 'j':
        l->json = 1;
        break;
    case 'r':
        l->order.reverse = 1;
        break;
    case 's':
        l->summary = calloc(1, sizeof *l->summary);
        if (!l->summary)
            no_memory();
        break;
    default:
        if (o != 'o' || !order_named(&l->order, arg))
            dieusage();
    }
}

int
main(int argc, char const *const *argv)
{
    struct listing l = {.select = SELECT_ZERO, .held = HELD_ZERO, .out = STRALLOC_ZERO};
    subgetopt opts = SUBGETOPT_ZERO;

    PROG = "pneu-list";
    for (int o; (o = subgetopt_r(argc, argv, "bcjrso:" SELECT_OPTIONS, &opts)) != -1;)
        option(&l, o, opts.arg);
    start_ids(&l.select, argv + opts.ind);
    if (l.order.reverse && !l.order.key)
        (void)order_named(&l.order, "id");
    l.now = (uint64_t)time(0);
    progress_begin(&l.progress);
    start_inside(list_confine);
    ask_settings(&l);
    walk(&l);
    finish(&l);
    return l.failed ? EXIT_TEMP : 0;
}
