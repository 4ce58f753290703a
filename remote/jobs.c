#include "remote/jobs.h"

#include <errno.h>
#include <string.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>

#include "lib/addr.h"
#include "queue/job.h"
#include "remote/report.h"

struct serving {
    struct deliver *all;
    struct jobwire wire;
    struct delivery d;
    uint64_t number; /* of the job at hand */
    int failed;
};

/* Sends all results; the other side is our parent, who reads them. */
static void
flush(struct serving *s)
{
    iopause_fd x = {.fd = s->wire.fd, .events = IOPAUSE_WRITE};
    int got;

    while (!(got = jobwire_flush(&s->wire)))
        if (iopause_g(&x, 1, &tain_infinite) == -1 && errno != EINTR)
            break;
    s->failed |= got != 1;
}

/* A recipient's result is sent when it is known. The last ones travel with the end of the job. */
static void
report(void *data, struct delivery *d)
{
    struct serving *s = data;

    s->failed |= !report_results(d, s->number, &s->wire.out);
    if (delivery_find(d, 0, RECIPIENT_WAITING))
        flush(s);
}

static int
add_recipients(struct delivery *d, struct job const *j)
{
    struct bytes cursor = j->recipients;
    struct job_recipient r;

    while (job_next(j, &cursor, &r) == 1) {
        struct recipient one = {.to = r.to, .from = r.from, .notify = r.notify, .orcpt = r.orcpt, .index = r.index};
        if (one.from.len == 4 && !memcmp(one.from.s, "#@[]", 4)) /* qmail's sender of double bounces */
            one.from.len = 0;
        if (!delivery_add(d, &one))
            return 0;
    }
    return 1;
}

static void
run(struct serving *s, struct job const *j, int fd)
{
    struct delivery *d = &s->d;
    struct verdict why;
    struct bytes domain = {0};

    if (!delivery_begin(d, fd, j->offset, j->length) || !add_recipients(d, j)) {
        s->failed = 1;
        return;
    }
    d->body = j->body;
    d->ret = j->ret;
    d->envid = j->envid;
    d->smtputf8 = j->smtputf8;
    if (d->count) {
        struct bytes to = d->recipients[0].to;
        size_t at = addr_at(to.s, to.len);
        if (at < to.len)
            domain = (struct bytes){to.s + at + 1, to.len - at - 1};
    }
    if (fd == -1 || j->requiretls) {
        verdict_say(&why, fd == -1 ? 'Z' : 'D', fd == -1 ? "4.3.0" : "5.7.30",
                    fd == -1 ? "the message did not come along" : "REQUIRETLS is not supported", 0, 0);
        delivery_settle_all(d, RECIPIENT_WAITING, RECIPIENT_WAITING, &why);
        report(s, d);
    } else
        deliver(s->all, d, domain, j->key.len ? j->key : domain, report, s);
}

/* One job's frame. Returns 1, or 0 with errno. */
static int
take(struct serving *s, struct bytes frame)
{
    struct result end = {.done = 1};
    struct job j;
    int fd = jobwire_takefd(&s->wire);

    if (!job_scan(frame, &j) || j.transport.len != 6 || memcmp(j.transport.s, "remote", 6) != 0) {
        if (fd != -1)
            fd_close(fd);
        return (errno = EPROTO, 0);
    }
    s->number = end.job = j.number;
    run(s, &j, fd);
    if (fd != -1)
        fd_close(fd);
    s->failed |= !result_put(&s->wire.out, &end);
    flush(s);
    return !s->failed;
}

/* Waits for jobs, with an eye on the connection that waits too. Returns 1 something came, 0 the end, -1 with errno. */
static int
wait_for(struct serving *s)
{
    struct peer *p = &s->all->peer;
    iopause_fd x[2] = {{.fd = s->wire.fd, .events = IOPAUSE_READ}, {.fd = p->fd, .events = IOPAUSE_READ}};
    int got = iopause_g(x, p->fd == -1 ? 1 : 2, p->fd == -1 ? &tain_infinite : &s->all->idle);

    if (got == -1)
        return errno == EINTR ? 1 : -1;
    if (p->fd != -1 && (!got || x[1].revents)) /* too long, or it hangs up or says 421 */
        deliver_quit(s->all);
    if (!x[0].revents)
        return 1;
    got = jobwire_fill(&s->wire);
    return got != -1 ? 1 : errno == EPIPE || errno == ECONNRESET ? 0 : -1;
}

int
jobs_serve(struct deliver *all, int fd)
{
    struct serving s = {.all = all, .wire = JOBWIRE_ZERO, .d = DELIVERY_ZERO};
    struct bytes frame;
    int good = jobwire_init(&s.wire, fd);
    int got = 1;

    tain_now_set_stopwatch_g();
    while (good && got == 1) {
        got = jobwire_take(&s.wire, JOB_MAX, &frame);
        if (got == 1)
            good = take(&s, frame);
        else if (got == 0)
            got = wait_for(&s);
        good = good && got != -1;
    }
    deliver_quit(all);
    return good;
}
