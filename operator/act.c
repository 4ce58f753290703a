#include "operator/act.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "lib/durable.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "operator/progress.h"
#include "operator/sandbox.h"
#include "operator/start.h"
#include "queue/envelope.h"
#include "queue/list.h"
#include "queue/move.h"
#include "queue/trigger.h"
#include "queue/walk.h"

#define OUT_SIZE 65536
#define HINTS_MOST 1000 /* a fifo holds some 2,000; what is beyond it finds by looking again */

struct run {
    struct act act;
    struct act_verb const *verb;
    struct progress progress;
    stralloc out;
    struct moves moves;
    stralloc lines;          /* to print when they are moved */
    size_t ends[MOVES_MOST]; /* of each */
    uint64_t looked, done, nothing, busy, failed, hinted;
    int all, dry, wait, trigger;
};

/* Before anybody is told: of many removals each folder is synced once. */
static void
sync_folders(struct act *a)
{
    char folder[sizeof "queue/wait/XX"];

    for (int step = 0; step < WALK_STEPS; step++)
        if (a->unsynced[step]) {
            (void)walk_folder(folder, step);
            if (!durable_sync(folder))
                strerr_diefusys(EXIT_TEMP, "sync ", folder);
            a->unsynced[step] = 0;
        }
}

static void
flush(struct run *r)
{
    sync_folders(&r->act);
    if (!r->out.len)
        return;
    progress_clear(&r->progress);
    if (allwrite(1, r->out.s, r->out.len) != r->out.len)
        strerr_diefusys(EXIT_TEMP, "write");
    r->out.len = 0;
}

static void
no_memory(void)
{
    strerr_diefusys(EXIT_TEMP, "go on");
}

/* One line a message: its ID, what was done. */
static void
put_line(stralloc *to, struct item const *i, char const *what)
{
    if (!stralloc_cats(to, i->id) || !stralloc_catb(to, " ", 1) || !stralloc_cats(to, what) ||
        (!i->why &&
         (!stralloc_catb(to, " <", 2) || !log_escape(to, i->from.s, i->from.len, 0) || !stralloc_catb(to, ">", 1))) ||
        !stralloc_catb(to, "\n", 1))
        no_memory();
}

static void
say(struct run *r, struct item const *i, char const *what)
{
    put_line(&r->out, i, what);
    if (r->out.len >= OUT_SIZE)
        flush(r);
}

static void
warn(struct run *r, char const *path, char const *text)
{
    flush(r);
    progress_clear(&r->progress);
    strerr_warnw(path, ": ", text);
}

void
act_hint(char const *line)
{
    int fd = trigger_open();

    if (fd == -1)
        return;
    trigger_pull(fd, line);
    close(fd);
}

static void
hint(struct run *r, enum item_state state, char const *id)
{
    if (!r->verb->hints || r->act.keep || state > ITEM_WAIT || r->trigger == -1)
        return;
    if (r->hinted++ < HINTS_MOST)
        trigger_pull(r->trigger, id);
}

static void
failed(struct run *r, char const *path, int e)
{
    r->failed++;
    warn(r, path, r->act.problem ? r->act.problem : e == EEXIST ? "another file has that name there" : strerror(e));
    r->act.problem = 0;
}

/* ---- moves, many at a time ---- */

static void
finish_moves(struct run *r)
{
    struct moves *m = &r->moves;

    moves_finish(m, r->verb->to, *r->act.why ? r->act.why : 0);
    for (unsigned int i = 0; i < m->n; i++) {
        struct moved const *one = m->list + i;
        size_t begin = i ? r->ends[i - 1] : 0;
        if (one->e) {
            failed(r, one->from, one->e);
            continue;
        }
        r->done++;
        if (!stralloc_catb(&r->out, r->lines.s + begin, r->ends[i] - begin))
            no_memory();
        hint(r, one->how == MOVED_ELSEWHERE ? r->verb->to : one->before, one->id);
    }
    moves_clear(m);
    r->lines.len = 0;
    if (r->out.len >= OUT_SIZE)
        flush(r);
}

static void
add_move(struct run *r, struct item *i)
{
    put_line(&r->lines, i, r->verb->past);
    r->ends[r->moves.n] = r->lines.len;
    moves_add(&r->moves, i, r->act.how, r->act.written);
    if (r->moves.n == MOVES_MOST)
        finish_moves(r);
}

/* Nobody shall wait for us while we wait for him. */
static int
lock(struct run *r, struct item *i)
{
    if (move_lock(i, 0))
        return 1;
    if (errno != EWOULDBLOCK || !r->wait)
        return 0;
    finish_moves(r);
    return move_lock(i, 1);
}

static void
work(struct run *r, struct item *i)
{
    if (!lock(r, i)) {
        if (errno == EWOULDBLOCK) {
            r->busy += !r->verb->busy;
            r->done += r->verb->busy != 0;
            if (r->verb->busy)
                say(r, i, "is being tried");
            else
                warn(r, i->path, "is being tried");
        } else if (errno != ENOENT)
            failed(r, i->path, errno);
        return;
    }
    if (!select_item(&r->act.select, i, r->act.now)) /* it was tried meanwhile */
        return;
    r->act.how = MOVED_ELSEWHERE;
    r->act.written = -1;
    switch (r->verb->act(&r->act, i)) {
    case ACT_DONE:
        r->done++;
        say(r, i, r->verb->past);
        hint(r, i->state, i->id);
        break;
    case ACT_MOVE:
        add_move(r, i);
        break;
    case ACT_NOTHING:
        r->nothing++;
        break;
    default:
        failed(r, i->path, errno);
    }
}

static void
look(struct run *r, struct item *i, struct walk const *w, char const *id)
{
    int got = item_open(i, w->folder, w->state, id, 0);

    progress_step(&r->progress, ++r->looked, "messages");
    if (got == -1)
        failed(r, i->path, errno);
    if (got != 1)
        return;
    if (!select_item(&r->act.select, i, r->act.now))
        ;
    else if (r->dry) {
        r->done++;
        if (!list_line(&r->out, i, r->act.now))
            no_memory();
        if (r->out.len >= OUT_SIZE)
            flush(r);
    } else
        work(r, i);
    item_close(i);
}

static void
walk(struct run *r)
{
    struct item item = ITEM_ZERO;
    struct walk w;
    char const *id;
    int got;

    walk_begin(&w, &r->act.select, r->verb->states);
    while ((got = walk_next(&w, &id)))
        if (got == 1)
            look(r, &item, &w, id);
        else if (errno == ENOMEM)
            no_memory();
        else {
            r->failed++;
            strerr_warnwu2sys("read ", w.folder);
        }
    finish_moves(r);
    walk_free(&w);
    item_free(&item);
}

/* ---- options ---- */

static void
dieusage(struct act_verb const *v)
{
    strerr_dieusage(EXIT_PERM, v->usage);
}

static void
option(struct run *r, int o, char const *arg)
{
    if (start_filter(&r->act.select, o, arg))
        return;
    if (o == 'n')
        r->dry = 1;
    else if (o == 'w')
        r->wait = 1;
    else if (o == 'A')
        r->all = 1;
    else if (o == 'k')
        r->act.keep = 1;
    else if (o == 'r')
        r->act.reason = arg;
    else
        dieusage(r->verb);
}

static void
arguments(struct run *r, char const *const *argv)
{
    char const *at;

    if (r->verb->takes) {
        r->act.address = *argv;
        if (!*argv || !**argv || !envelope_address(*argv, strlen(*argv)))
            dieusage(r->verb);
        /* Else an ID, a bare domain or a misprint here sends the mail to a user of that name. */
        if (!(at = strrchr(*argv, '@')) || at == *argv || !at[1])
            strerr_dief(EXIT_PERM, *argv, " is no address: it has no domain");
        argv++;
    }
    start_ids(&r->act.select, argv);
    if (select_all(&r->act.select) && !r->all && !r->verb->all && strchr(r->verb->options, 'A'))
        strerr_dief(EXIT_PERM, "no filter: say -A if you mean all messages");
}

static void
begin(struct run *r)
{
    (void)snprintf(r->act.who, sizeof r->act.who, "the operator (uid %lu)", (unsigned long)getuid());
    r->act.now = (uint64_t)time(0);
    progress_begin(&r->progress);
    (void)sig_ignore(SIGPIPE);
    umask(077);
    start_inside(sandbox_operator);
}

/* Named, but not met: a program shall know. */
static void
none(struct run const *r)
{
    unsigned int states = r->act.select.states ? r->act.select.states : r->verb->states;
    stralloc where = STRALLOC_ZERO;

    if (r->nothing)
        strerr_dief(EXIT_PERM, "there is nothing to be done for it");
    for (unsigned int i = 0; i < ITEM_STATES; i++)
        if (states & 1u << i && (!stralloc_catb(&where, where.len ? ", " : "", where.len ? 2 : 0) ||
                                 !stralloc_cats(&where, item_word((enum item_state)i))))
            no_memory();
    if (!stralloc_0(&where))
        no_memory();
    strerr_dief(EXIT_PERM, "no such message in ", where.s);
}

static int
end(struct run *r)
{
    flush(r);
    progress_clear(&r->progress);
    if (r->hinted > HINTS_MOST)
        trigger_pull(r->trigger, "");
    if (r->failed || r->busy)
        return EXIT_TEMP;
    if (!r->done && r->act.select.id.len && !r->act.select.inexact)
        none(r);
    return 0;
}

int
act_run(int argc, char const *const *argv, struct act_verb const *v)
{
    struct run r = {.act = {.select = SELECT_ZERO}, .out = STRALLOC_ZERO, .lines = STRALLOC_ZERO};
    subgetopt opts = SUBGETOPT_ZERO;
    char options[64];

    r.verb = v;
    (void)snprintf(options, sizeof options, "nw%s" SELECT_OPTIONS, v->options);
    for (int o; (o = subgetopt_r(argc, argv, options, &opts)) != -1;)
        option(&r, o, opts.arg);
    arguments(&r, argv + opts.ind);
    begin(&r);
    if (!r.dry && v->first && v->first(&r.act))
        return 0;
    r.trigger = trigger_open();
    walk(&r);
    return end(&r);
}
