#include "local/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "queue/job.h"

/* One recipient's strings, cut out of the frame. */
struct strings {
    stralloc space;
    size_t user, home, local, dash, ext, host, sender, id;
};

static size_t
keep(stralloc *to, struct bytes s, int *good)
{
    size_t at = to->len;

    *good = *good && stralloc_catb(to, s.s, s.len) && stralloc_0(to);
    return at;
}

static int
cut(struct strings *s, struct job const *j, struct job_recipient const *r)
{
    int good = 1;
    size_t at = r->to.len;

    while (at && r->to.s[at - 1] != '@')
        at--;
    struct bytes local = {r->to.s, at ? at - 1 : r->to.len};
    struct bytes host = {r->to.s + at, at ? r->to.len - at : 0};
    s->space.len = 0;
    s->user = keep(&s->space, r->user, &good);
    s->home = keep(&s->space, r->home, &good);
    s->local = keep(&s->space, local, &good);
    s->dash = keep(&s->space, r->dash, &good);
    s->ext = keep(&s->space, r->ext, &good);
    s->host = keep(&s->space, host, &good);
    s->sender = keep(&s->space, r->from, &good);
    s->id = keep(&s->space, j->id, &good);
    return good;
}

struct worker {
    struct jobwire wire;
    char const *home;
    struct helper *helper;
    struct bytes defaults;
    struct message message;
    struct strings strings;
    uint32_t uid, gid;
};

static void
deliver(struct worker *w, struct job const *j, struct job_recipient const *r, struct outcome *o)
{
    struct strings *s = &w->strings;
    struct delivery d = DELIVERY_ZERO;

    if (!cut(s, j, r)) {
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
        return;
    }
    char const *at = s->space.s;
    d.user = at + s->user;
    d.home = at + s->home;
    d.local = at + s->local;
    d.dash = at + s->dash;
    d.ext = at + s->ext;
    d.host = at + s->host;
    d.sender = at + s->sender;
    d.id = at + s->id;
    d.index = r->index;
    d.again = j->again;
    d.uid = w->uid;
    d.gid = w->gid;
    d.mailbox = !w->home;
    d.defaults = w->defaults;
    d.message = &w->message;
    d.helper = w->helper;
    d.body = j->body;
    d.ret = j->ret;
    d.envid = j->envid;
    d.notify = r->notify;
    d.orcpt = r->orcpt;
    d.smtputf8 = j->smtputf8;
    d.requiretls = j->requiretls;
    if (!r->home.len || (w->home && strcmp(w->home, d.home) != 0))
        outcome_set(o, 'Z', "4.3.0", "Not this process's home", 0, 0);
    else if (!delivery_lines(&d, (uint64_t)time(0)))
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    else
        delivery_do(&d, 0, o);
    delivery_free(&d);
}

static int
put_result(struct worker *w, struct job const *j, uint32_t index, struct outcome const *o)
{
    char number[UINT32_FMT];
    struct result r = {.job = j->number,
                       .class = o->class,
                       .code = {o->code, strlen(o->code)},
                       .to = {number, uint32_fmt(number, index)},
                       .text = {o->text, strlen(o->text)},
                       .dsn = o->dsn};

    return result_put(&w->wire.out, &r);
}

static int
wait_for(struct worker *w, short events)
{
    struct pollfd x = {.fd = w->wire.fd, .events = events};

    while (poll(&x, 1, -1) == -1)
        if (errno != EINTR)
            return 0;
    return 1;
}

static int
flush(struct worker *w)
{
    int sent;

    while ((sent = jobwire_flush(&w->wire)) == 0)
        if (!wait_for(w, POLLOUT))
            return 0;
    return sent == 1;
}

/* Results are sent as they come where a job has several, so that a crash
 * forgets little. */
static int
do_job(struct worker *w, struct bytes frame)
{
    struct job j;
    struct job_recipient r;
    struct outcome o;
    int fd = jobwire_takefd(&w->wire);

    if (fd == -1 || !job_scan(frame, &j))
        return 0;
    struct result done = {.job = j.number, .done = 1};
    int readable = message_open(&w->message, fd, j.length);
    for (struct bytes cursor = j.recipients; job_next(&j, &cursor, &r) == 1;) {
        if (readable)
            deliver(w, &j, &r, &o);
        else
            outcome_set(&o, 'Z', "4.3.0", "Unable to read message", 0, errno);
        if (!put_result(w, &j, r.index, &o) || (cursor.len && !flush(w)))
            return 0;
    }
    close(fd);
    return result_put(&w->wire.out, &done) && flush(w);
}

int
local_work(int fd, char const *home, struct helper *helper, struct bytes defaults)
{
    static struct worker w = {.wire = JOBWIRE_ZERO};
    struct bytes frame;
    int got;

    w.uid = geteuid();
    w.gid = getegid();
    w.home = home;
    w.helper = helper;
    w.defaults = defaults;
    if (!jobwire_init(&w.wire, fd))
        return 0;
    for (;;) {
        got = jobwire_take(&w.wire, JOB_MAX, &frame);
        if (got == 1 && do_job(&w, frame))
            continue;
        if (got)
            return 0;
        if (!wait_for(&w, POLLIN))
            return 0;
        got = jobwire_fill(&w.wire);
        if (got == -1)
            return errno == EPIPE || errno == ECONNRESET;
    }
}
