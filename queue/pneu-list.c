/* pneu-list(8): prints the queue. Changes nothing, and needs nobody's leave but the files'. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "queue/id.h"
#include "queue/layout.h"
#include "queue/list.h"

#define USAGE "pneu-list [ -c ] [ id... ]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)
#define OUT_SIZE 65536

struct listing {
    struct list list;
    stralloc out;
    stralloc seen; /* names of queue/new: a message may be on its way to wait/ */
    char const *const *wanted;
    int failed;
};

static void
flush(struct listing *l)
{
    if (allwrite(1, l->out.s, l->out.len) != l->out.len)
        strerr_diefusys(EXIT_TEMP, "write");
    l->out.len = 0;
}

static int
is_wanted(struct listing const *l, char const *id)
{
    char const *const *w = l->wanted;

    while (*w && strcmp(*w, id) != 0)
        w++;
    return *w || !*l->wanted;
}

static void
folder(struct listing *l, char const *path, char const *state, stralloc *keep)
{
    stralloc names = STRALLOC_ZERO;

    if (!list_names(&names, path)) {
        if (errno == EACCES && keep) /* nor the others: once is enough */
            strerr_diefusys(EXIT_TEMP, "read ", path);
        if (errno != ENOENT) {
            strerr_warnwu2sys("read ", path);
            l->failed = 1;
        }
        stralloc_free(&names);
        return;
    }
    for (size_t at = 0; at < names.len; at += ID_SIZE) {
        char const *id = names.s + at;
        if (!is_wanted(l, id) || list_holds(&l->seen, id))
            continue;
        if (!list_file(&l->list, &l->out, path, state, id)) {
            strerr_warnwu4sys("read ", path, "/", id);
            l->failed = 1;
        }
        if (l->out.len >= OUT_SIZE)
            flush(l);
    }
    if (keep)
        *keep = names;
    else
        stralloc_free(&names);
}

int
main(int argc, char const *const *argv)
{
    struct listing l = {.out = STRALLOC_ZERO, .seen = STRALLOC_ZERO};
    subgetopt opts = SUBGETOPT_ZERO;

    PROG = "pneu-list";
    for (int o; (o = subgetopt_r(argc, argv, "c", &opts)) != -1; l.list.prove = 1)
        if (o != 'c')
            dieusage();
    l.wanted = argv + opts.ind;
    for (char const *const *w = l.wanted; *w; w++)
        if (!id_valid(*w, strlen(*w)))
            strerr_dief(EXIT_PERM, *w, " is no message ID");
    l.list.now = (uint64_t)time(0);
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!list_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    /* In the order of a message's way: one that moves meanwhile is met again rather than missed. */
    stralloc seen = STRALLOC_ZERO;
    folder(&l, QUEUE_NEW, "new", &seen);
    l.seen = seen;
    for (unsigned int i = 0; i < 256; i++) {
        char path[sizeof QUEUE_WAIT + 3];
        snprintf(path, sizeof path, QUEUE_WAIT "/%02x", i);
        folder(&l, path, "wait", 0);
    }
    l.seen.len = 0; /* elsewhere the same name is another file */
    folder(&l, QUEUE_HOLD, "hold", 0);
    folder(&l, QUEUE_BAD, "bad", 0);
    flush(&l);
    return l.failed ? EXIT_TEMP : 0;
}
