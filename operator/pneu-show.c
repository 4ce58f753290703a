/* pneu-show(8): prints one message of the queue: envelope, history, header, body. */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "lib/exits.h"
#include "lib/utf8.h"
#include "operator/heldby.h"
#include "operator/start.h"
#include "queue/list.h"
#include "queue/show.h"
#include "queue/walk.h"

#define USAGE "pneu-show [ -beHjlm ] id..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)
#define EVERYWHERE (1 << ITEM_NEW | 1 << ITEM_WAIT | 1 << ITEM_HOLD | 1 << ITEM_BAD)

struct showing {
    struct select select;
    stralloc out;
    uint64_t now;
    int envelope, history, header, body, json, titles;
    int raw; /* parts of the message as they are: the output is no terminal */
    int found, failed;
};

static void
flush(struct showing *s)
{
    if (allwrite(1, s->out.s, s->out.len) != s->out.len)
        strerr_diefusys(EXIT_TEMP, "write");
    s->out.len = 0;
}

static void
must(int good)
{
    if (!good)
        strerr_diefusys(EXIT_TEMP, "print the message");
}

/* From at to end: as it is, but for a terminal made harmless. A character that two blocks share is shown as bytes. */
static void
copy(struct showing *s, struct item const *i, off_t at, off_t end)
{
    char block[16384];

    while (at < end) {
        size_t len = end - at < (off_t)sizeof block ? (size_t)(end - at) : sizeof block;
        ssize_t n = pread(i->fd, block, len, at);
        if (n == 0)
            errno = EIO;
        must(n > 0);
        must(s->raw ? stralloc_catb(&s->out, block, (size_t)n) : utf8_show(&s->out, block, (size_t)n));
        flush(s);
        at += n;
    }
}

static void
title(struct showing *s, char const *text)
{
    if (s->titles)
        must(stralloc_cats(&s->out, text));
}

static void
parts(struct showing *s, struct item const *i)
{
    off_t body = FILE_HEADER;

    if (s->titles)
        must(show_head(&s->out, i, s->now));
    if (s->envelope) {
        title(s, "\nenvelope\n");
        must(show_envelope(&s->out, i));
    }
    if (s->history) {
        title(s, "\nhistory\n");
        must(show_history(&s->out, i));
    }
    if (s->header || s->body)
        must(show_bodystart(i, &body));
    if (s->header) {
        title(s, "\nheader\n");
        copy(s, i, FILE_HEADER, body);
    }
    if (s->body)
        copy(s, i, body, file_envelope(&i->file.header));
    flush(s);
}

static void
show(struct showing *s, struct item const *i)
{
    s->found = 1;
    if (s->json)
        must(list_json(&s->out, i, s->now, 1));
    else if (i->why)
        must(list_line(&s->out, i, s->now));
    else
        parts(s, i);
    flush(s);
}

static void
walk(struct showing *s)
{
    struct item item = ITEM_ZERO;
    struct held held = HELD_ZERO;
    struct walk w;
    char const *id, *which;
    int got, asks = held_read(&held, &which);

    if (!asks)
        strerr_warnwu2sys("read ", which);
    walk_begin(&w, &s->select, EVERYWHERE);
    while ((got = walk_next(&w, &id))) {
        if (got == -1)
            strerr_diefusys(EXIT_TEMP, "read ", w.folder);
        got = item_open(&item, w.folder, w.state, id, 0);
        if (got == -1) {
            strerr_warnwu2sys("read ", item.path);
            s->failed = 1;
        }
        if (got == 1 && asks && !heldby(&held, &item)) {
            strerr_warnwu2sys("tell what holds ", item.path);
            s->failed = 1;
        }
        if (got == 1)
            show(s, &item);
        item_close(&item);
    }
    walk_free(&w);
    item_free(&item);
}

static void
option(struct showing *s, int o)
{
    switch (o) {
    case 'b':
        s->body = 1;
        break;
    case 'e':
        s->envelope = 1;
        break;
    case 'H':
        s->header = 1;
        break;
    case 'j':
        s->json = 1;
        break;
    case 'l':
        s->history = 1;
        break;
    case 'm':
        s->header = s->body = 1;
        break;
    default:
        dieusage();
    }
}

int
main(int argc, char const *const *argv)
{
    struct showing s = {.select = SELECT_ZERO, .out = STRALLOC_ZERO};
    subgetopt opts = SUBGETOPT_ZERO;

    PROG = "pneu-show";
    for (int o; (o = subgetopt_r(argc, argv, "beHjlm", &opts)) != -1;)
        option(&s, o);
    argv += opts.ind;
    if (!*argv)
        dieusage();
    start_ids(&s.select, argv);
    if (!s.body && !s.envelope && !s.header && !s.history)
        s.envelope = s.history = s.header = s.titles = 1;
    s.now = (uint64_t)time(0);
    s.raw = !isatty(1) && !s.titles;
    start_inside(list_confine);
    walk(&s);
    if (!s.found && !s.failed)
        strerr_dief(EXIT_PERM, "no such message");
    return s.failed ? EXIT_TEMP : 0;
}
