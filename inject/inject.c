#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/alloc.h>
#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>

#include "control/control.h"
#include "inject/inject.h"
#include "inject/unique.h"
#include "lib/addresslist.h"
#include "lib/log.h"

#define FOLLOWUP_MAX 1048576 /* bytes of $QMAILMFTFILE */

int
inject_fail(struct inject *i, enum inject_result what, ...)
{
    va_list ap;
    char const *part;

    i->result = what;
    i->why.len = 0;
    va_start(ap, what);
    while ((part = va_arg(ap, char const *)))
        if (!log_escape(&i->why, part, strnlen(part, 400), 1))
            break;
    va_end(ap);
    (void)!stralloc_0(&i->why);
    return 0;
}

int
inject_trouble(struct inject *i, enum inject_result what, char const *doing)
{
    char const *why = errno == ENOENT ? "it is not set" : strerror(errno);

    return inject_fail(i, errno == ENOMEM ? INJECT_SYSTEM : what, doing, ": ", why, NULL);
}

/* The first variable that is set to something. */
static char const *
first_of(char const *const *names)
{
    for (; *names; names++) {
        char const *value = getenv(*names);
        if (value && *value)
            return value;
    }
    return 0;
}

static unsigned int
letters(char const *s)
{
    unsigned int found = 0;

    for (; s && *s; s++)
        switch (*s) {
        case 'c':
            found |= INJECT_COMMENT;
            break;
        case 'f':
            found |= INJECT_NO_FROM;
            break;
        case 'i':
            found |= INJECT_NO_ID;
            break;
        case 'm':
            found |= INJECT_PER_MESSAGE;
            break;
        case 'r':
            found |= INJECT_PER_RCPT;
            break;
        case 's':
            found |= INJECT_NO_RETURN;
            break;
        }
    return found;
}

void
inject_environment(struct inject_options *o)
{
    static char const *const user[] = {"QMAILUSER", "MAILUSER", "USER", "LOGNAME", 0};
    static char const *const host[] = {"QMAILHOST", "MAILHOST", 0};
    static char const *const name[] = {"QMAILNAME", "MAILNAME", "NAME", 0};
    static char const *const suser[] = {"QMAILSUSER", 0}, *const shost[] = {"QMAILSHOST", 0};
    static char const *const followup[] = {"QMAILMFTFILE", 0}, *const queue[] = {"PNEU_QUEUE", 0};

    *o = (struct inject_options){
        .letters = letters(getenv("QMAILINJECT")),
        .user = first_of(user),
        .host = first_of(host),
        .name = first_of(name),
        .suser = first_of(suser),
        .shost = first_of(shost),
        .followup = first_of(followup),
        .queue = first_of(queue),
    };
}

/* --- reading --- */

/* The next piece of the message, converted. Returns 1, 0 at its end, -1 after inject_fail. */
static int
next(struct inject *i, char **s, size_t *len)
{
    ssize_t n;

    for (;;) {
        if (i->eof)
            return 0;
        n = fd_read(0, i->piece, INJECT_PIECE);
        if (n == -1) {
            inject_fail(i, INJECT_READ, "cannot read the message: ", strerror(errno), NULL);
            return -1;
        }
        if (n) {
            *len = text_take(&i->text, i->piece, (size_t)n, s);
        } else {
            *s = i->piece;
            *len = text_finish(&i->text, i->piece);
        }
        i->eof = !n || i->text.ended;
        if (*len)
            return 1;
    }
}

static int
read_header(struct inject *i)
{
    struct header *h = &i->header;
    size_t len, used;
    char *s;
    int r, done = 0;

    while (!done && (r = next(i, &s, &len)) > 0) {
        done = header_feed(h, s, len, &used);
        if (done == -1 && errno == EMSGSIZE)
            return inject_fail(i, INJECT_DATA, "a header of more than 1 MiB", NULL);
        if (done == -1 || (done && !stralloc_catb(&i->ahead, h->text.s + h->end, h->text.len - h->end)) ||
            (done && !stralloc_catb(&i->ahead, s + used, len - used)))
            return inject_trouble(i, INJECT_SYSTEM, "header");
    }
    if (!done && r == -1)
        return 0;
    return done || header_finish(h) == 1 || inject_trouble(i, INJECT_SYSTEM, "header");
}

/* Reads ahead, so that a sender who is slow, or stops, costs the queue no session if his message is small. */
static int
read_ahead(struct inject *i)
{
    size_t len;
    char *s;
    int r = 1;

    while (r > 0 && i->ahead.len < INJECT_PIECE)
        if ((r = next(i, &s, &len)) > 0 && !stralloc_catb(&i->ahead, s, len))
            return inject_trouble(i, INJECT_SYSTEM, "message");
    return r != -1;
}

/* $QMAILMFTFILE; a file that is not there is no error. */
static int
read_followup(struct inject *i)
{
    struct stat st;

    if (!i->o->followup)
        return 1;
    int fd = open(i->o->followup, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1)
        return errno == ENOENT ||
               inject_fail(i, INJECT_CONFIG, "cannot open ", i->o->followup, ": ", strerror(errno), NULL);
    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size > FOLLOWUP_MAX) {
        fd_close(fd);
        return inject_fail(i, INJECT_CONFIG, i->o->followup, " is no file of at most 1 MiB", NULL);
    }
    if (!stralloc_ready(&i->followup, (size_t)st.st_size + 1))
        return inject_trouble(i, INJECT_SYSTEM, "file of lists");
    i->followup.len = allread(fd, i->followup.s, (size_t)st.st_size);
    fd_close(fd);
    return 1;
}

/* --- recipients and sender --- */

static int
take_arguments(struct inject *i)
{
    enum inject_from from = i->o->from;
    int (*take)(struct inject *, char const *, stralloc *) = i->o->lists ? fields_list : fields_argument;

    for (char const *const *p = i->o->recipients; *p && from != INJECT_HEADER; p++)
        if (!take(i, *p, &i->arguments))
            return 0;
    if (!i->o->sender)
        return 1;
    if (i->o->lists)
        return fields_sender(i, i->o->sender);
    i->has_sender = 1;
    return fields_argument(i, i->o->sender, &i->sender);
}

/* All of them come into i->arguments. */
static int
gather(struct inject *i)
{
    stralloc const *more = i->resent ? &i->forwarded : &i->plain;

    if (i->o->from != INJECT_ARGUMENTS && !stralloc_cat(&i->arguments, more))
        return inject_trouble(i, INJECT_SYSTEM, "recipients");
    if (!unique_strings(&i->arguments))
        return inject_trouble(i, INJECT_SYSTEM, "recipients");
    return i->arguments.len || i->o->print || inject_fail(i, INJECT_NOBODY, "no recipient", NULL);
}

/* --- writing --- */

/* The message and all that follows of it. */
static int
send_message(struct inject *i, struct sink *to)
{
    size_t len;
    char *s;
    int r = 0;

    if (!sink_put(to, i->fresh.s, i->fresh.len) || !sink_put(to, i->kept.s, i->kept.len) ||
        ((i->header.blank || i->ahead.len) && !sink_put(to, "\n", 1)) || !sink_put(to, i->ahead.s, i->ahead.len))
        return inject_trouble(i, INJECT_LATER, i->o->print ? "standard output" : "queue");
    while (!sink_refused(to) && (r = next(i, &s, &len)) > 0)
        if (!sink_put(to, s, len))
            return inject_trouble(i, INJECT_LATER, i->o->print ? "standard output" : "queue");
    return r != -1;
}

static int
finish(struct inject *i, struct sink *to)
{
    static enum inject_result const results[] = {
        [SINK_QUEUED] = INJECT_QUEUED,
        [SINK_NEVER] = INJECT_REFUSED,
        [SINK_LATER] = INJECT_LATER,
    };
    enum sink_result r = sink_close(to);

    if (r == SINK_BROKEN)
        return inject_fail(i, INJECT_LATER,
                           i->o->print ? "standard output: " : "the queue gave no answer: ", strerror(errno), NULL);
    i->result = results[r];
    return r == SINK_QUEUED || inject_fail(i, i->result, to->why.s, NULL);
}

static int
queue_it(struct inject *i)
{
    struct sink to = SINK_ZERO;
    struct sink_envelope e = {
        .sender = i->sender.s,
        .recipients = &i->arguments,
        .body = i->o->body,
        .ret = i->o->ret,
        .envid = i->o->envid,
        .notify = i->o->notify,
    };

    if (!sink_open(&to, i->o->queue, &e))
        return inject_fail(i, INJECT_LATER, i->o->queue ? "cannot run " : "cannot reach the queue",
                           i->o->queue ? i->o->queue : "", ": ", strerror(errno), NULL);
    if (!send_message(i, &to)) {
        sink_abort(&to);
        return 0;
    }
    return finish(i, &to);
}

static int
print_it(struct inject *i)
{
    struct sink to = SINK_ZERO;
    char const *at = strrchr(i->sender.s, '@');
    stralloc *line = &i->scratch;

    sink_print(&to);
    line->len = 0;
    if (!stralloc_cats(line, "Return-Path: <") ||
        (*i->sender.s &&
         !addresslist_quote(line, i->sender.s, at ? (size_t)(at - i->sender.s) : strlen(i->sender.s), 0)) ||
        !stralloc_cats(line, at ? at : "") || !stralloc_cats(line, ">\n") || !sink_put(&to, line->s, line->len))
        return inject_trouble(i, INJECT_SYSTEM, "standard output");
    return send_message(i, &to) && finish(i, &to);
}

enum inject_result
inject_run(struct inject *i)
{
    struct inject_options o = *i->o;

    i->o = &o;
    i->now = (uint64_t)time(0);
    i->text.dots = o.dots;
    if (o.from == INJECT_EITHER)
        o.from = *o.recipients ? INJECT_ARGUMENTS : INJECT_HEADER;
    char *room = alloc(TEXT_ROOM + INJECT_PIECE);
    if (!room)
        return inject_trouble(i, INJECT_SYSTEM, "begin"), i->result;
    i->piece = room + TEXT_ROOM;
    if (!read_followup(i))
        return i->result;
    if (!control_home())
        return inject_fail(i, INJECT_CONFIG, "unable to change into the instance ", control_homename(), ": ",
                           strerror(errno), NULL),
               i->result;
    if (take_arguments(i) && read_header(i) && fields_take(i) && fresh_sender(i) && gather(i) && fresh_fields(i) &&
        read_ahead(i))
        (void)(o.print ? print_it(i) : queue_it(i));
    return i->result;
}
