#include "local/delivery.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#include "local/dotqmail.h"
#include "local/program.h"
#include "local/search.h"

/* What following the lines of a dot file adds up to. */
struct progress {
    unsigned int files, forwards, programs;
    int forwardonly;
    int last; /* a program said that nothing more follows */
    int show;
    int defaults;       /* the lines are not a dot file's */
    stralloc addresses; /* of forwards, NUL-terminated */
};

static int
follow_file(struct delivery *d, struct dotqmail_line const *line, unsigned int number, struct outcome *o)
{
    char path[DOTQMAIL_PATH_MAX + 1];

    memcpy(path, line->text.s, line->text.len);
    path[line->text.len] = 0;
    int done = file_deliver(d, path, number, o);
    if (done != -1)
        return done;
    if (d->helper && !d->mailbox)
        return outside_deliver(d, path, number, o);
    return outcome_set(o, 'Z', "4.2.1", "Unable to open", path, errno);
}

static int
refuse_kind(struct outcome *o)
{
    return outcome_set(o, 'Z', "4.7.0",
                       ".qmail has file or program delivery but is for forwards "
                       "only (x bit or +list)",
                       0, 0);
}

static int
show_line(char const *what, struct bytes text)
{
    return allwrite(1, what, strlen(what)) == strlen(what) && allwrite(1, text.s, text.len) == text.len &&
           allwrite(1, "\n", 1) == 1;
}

/* The newsender is needed by programs and forwards only. */
static int
need_owner(struct delivery *d, struct outcome *o)
{
    return d->newsender.len || search_owner(d, o);
}

static int
follow_program(struct delivery *d, struct progress *p, struct bytes command, struct outcome *o)
{
    p->programs++;
    if (p->forwardonly)
        return refuse_kind(o);
    if (p->show)
        return show_line("program ", command);
    if (!need_owner(d, o))
        return 0;
    int done = program_deliver(d, command, o);
    p->last = done == 2;
    return done;
}

static int
follow_line(struct delivery *d, struct progress *p, struct dotqmail_line const *line, struct outcome *o)
{
    switch (line->type) {
    case DOTQMAIL_COMMENT:
        return 1;
    case DOTQMAIL_BLANK:
        return outcome_set(o, 'Z', "4.2.1", "First line of .qmail file is blank", 0, 0);
    case DOTQMAIL_BAD:
        return outcome_set(o, 'Z', "4.2.1", "Malformed line in .qmail file", 0, 0);
    case DOTQMAIL_LIST:
        p->forwardonly = 1;
        return 1;
    case DOTQMAIL_PROGRAM:
        return follow_program(d, p, line->text, o);
    case DOTQMAIL_FORWARD:
        p->forwards++;
        if (p->show)
            return show_line("forward ", line->text);
        return (stralloc_catb(&p->addresses, line->text.s, line->text.len) && stralloc_0(&p->addresses)) ||
               outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    case DOTQMAIL_MBOX:
    case DOTQMAIL_MAILDIR:
        break;
    }
    p->files++;
    if (p->forwardonly)
        return refuse_kind(o);
    if (p->show)
        return show_line(line->type == DOTQMAIL_MBOX ? "mbox " : "maildir ", line->text);
    /* In names of files default lines count from 0, those of dot files from 1.
     */
    return follow_file(d, line, line->number - (unsigned int)p->defaults, o);
}

/* "did 1+0+0": files, forwards, programs. */
static void
set_done(struct delivery const *d, struct progress const *p, struct outcome *o)
{
    char text[3 * UINT_FMT + 20] = "did ";
    char detail[OUTCOME_TEXT + 1];
    size_t n = 4;
    int alias = p->forwards && !p->files && !p->programs && !strcmp(d->sender, d->newsender.s);

    /* RFC 3461 section 5.2.7: what an alias leads to, and not the alias, is delivered to. */
    if (alias && p->forwards > 1) {
        strcpy(text, "expanded: did ");
        n = strlen(text);
    }
    n += uint_fmt(text + n, p->files);
    text[n++] = '+';
    n += uint_fmt(text + n, p->forwards);
    text[n++] = '+';
    n += uint_fmt(text + n, p->programs);
    text[n] = 0;
    strcpy(detail, o->text);
    outcome_set(o, 'K', "2.0.0", text, *detail ? detail : 0, 0);
    o->dsn = alias && p->forwards == 1;
}

/* One instruction after the other; the first that fails is the outcome.
 * Forwards come last, so that a failure before them forwards nothing. */
static void
follow(struct delivery *d, struct bytes text, struct progress *p, struct outcome *o)
{
    struct dotqmail_line line = {.number = 0};

    while (!p->last && dotqmail_next(&text, &line))
        if (!follow_line(d, p, &line, o))
            return;
    if (p->addresses.len) {
        if (!need_owner(d, o) || !forward_send(d, &p->addresses, o))
            return;
    }
    set_done(d, p, o);
}

static int
is_looping(struct delivery *d, struct outcome *o)
{
    switch (message_has(d->message, delivery_deliveredto(d))) {
    case 0:
        return 0;
    case 1:
        outcome_set(o, 'D', "5.4.6",
                    "This message is looping: it already has my Delivered-To "
                    "line",
                    0, 0);
        return 1;
    }
    outcome_set(o, 'Z', "4.3.0", "Unable to read message", 0, errno);
    return 1;
}

/* Reads the dot file; text stays empty if there is none. */
static int
read_file(struct dotfile const *f, stralloc *text, struct outcome *o)
{
    struct stat st;

    if (f->fd == -1)
        return 1;
    int good = fstat(f->fd, &st) == 0;
    if (good && st.st_size > SEARCH_MAX)
        good = (errno = EFBIG, 0);
    good = good && slurp(text, f->fd);
    int e = errno;
    close(f->fd);
    return good || outcome_set(o, 'Z', "4.3.0", "Unable to read .qmail file", 0, e);
}

void
delivery_do(struct delivery *d, int show, struct outcome *o)
{
    struct progress p = {.show = show, .addresses = STRALLOC_ZERO};
    struct dotfile f;
    stralloc text = STRALLOC_ZERO;

    outcome_set(o, 'Z', "4.3.0", "", 0, 0);
    if (search_home(d, show, o) && (show || !is_looping(d, o)) && search_file(d, &f, o) && read_file(&f, &text, o)) {
        p.defaults = !text.len;
        p.forwardonly = f.forwardonly && !p.defaults;
        follow(d, p.defaults ? d->defaults : (struct bytes){text.s, text.len}, &p, o);
    }
    stralloc_free(&text);
    stralloc_free(&p.addresses);
}

void
delivery_free(struct delivery *d)
{
    if (d->homefd != -1)
        close(d->homefd);
    d->homefd = -1;
    stralloc_free(&d->prefix);
    stralloc_free(&d->from);
    stralloc_free(&d->newsender);
}
