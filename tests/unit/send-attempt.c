/* Results of a job: believed only for its own recipients, and once; what becomes of them; the frame of a job. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "send/attempt.h"
#include "send/dest.h"
#include "send/dispatch.h"
#include "send/frame.h"
#include "tests/tap.h"

#include <fcntl.h>

/* Six recipients; the job has 1, 2 and 4. */
static char const *const rcpts[] = {"a@x.test", "b@y.test", "c@y.test", "d@x.test", "e@y.test", "f@z.test"};
static uint32_t const in_job[] = {1, 2, 4};

static struct send s;
static struct message m;
static struct group group;
static struct running *job;

static void
make_message(void)
{
    static stralloc envelope, status;
    uint32_t n = 0;

    envelope_put(&envelope, "from", "list-@h.test-@[]", 16);
    for (uint32_t i = 0; i < 6; i++) {
        envelope_put(&envelope, "to", rcpts[i], strlen(rcpts[i]));
        if (n < 3 && in_job[n] == i) {
            m.targets[n] = (struct target){.index = i,
                                           .record = (uint32_t)envelope.len,
                                           .to = (uint32_t)m.text.len,
                                           .len = (uint16_t)strlen(rcpts[i]),
                                           .route = ROUTE_REMOTE};
            stralloc_cats(&m.text, rcpts[i]);
            n++;
        }
        if (i == 2)
            envelope_put(&envelope, "notify", "NEVER", 5);
        if (i == 4)
            envelope_put(&envelope, "notify", "SUCCESS,FAILURE", 15);
        stralloc_append(&status, STATUS_TODO);
    }
    m.file.envelope = (struct bytes){envelope.s, envelope.len};
    m.file.status = status.s;
    m.file.header.recipients = 6;
    m.file.header.message = 1000;
    m.from = (struct bytes){"list-@h.test-@[]", 16};
    memcpy(m.id, "0123456789abcdef0123456789ab", ID_SIZE);
}

/* The message is never done: nothing is unloaded under the test. */
static void
begin(int dying)
{
    memset(m.file.status, STATUS_TODO, 6);
    for (unsigned int i = 0; i < 3; i++)
        m.targets[i].answered = 0;
    m.left = 6;
    m.failed = m.succeeded = 0;
    m.low = m.high = 0;
    m.dirty = 0;
    s.dirty = s.dirtylast = 0;
    m.dying = dying ? DYING_REMOTE : 0;
    m.log.len = 0;
    m.open = 1;
    m.jobs = 1;
    job = s.jobs + 3;
    *job = (struct running){
        .message = &m, .dest = group.dest, .channel = s.channels + CHANNEL_REMOTE, .number = 3, .at = 0, .end = 3};
    s.njobs = 1;
    s.channels[CHANNEL_REMOTE].running = 1;
    group.dest->running = 1;
    group.dest->waiting[PARK_NEW] = 1;
    m.lost = 0;
}

static void
frame(char class, char const *to, char const *code, int done)
{
    struct result r = {
        .job = 3, .class = class, .to = {to, strlen(to)}, .code = {code, 5}, .text = {"so it is", 8}, .done = done};
    stralloc out = STRALLOC_ZERO;
    struct bytes in, item;

    result_put(&out, &r);
    in = (struct bytes){out.s, out.len};
    netstring_take(&in, RESULT_MAX, &item);
    dispatch_frame(&s, s.channels + CHANNEL_REMOTE, item);
    stralloc_free(&out);
}

static void
statuses(char const *wanted, uint32_t left, uint32_t failed, char const *name)
{
    ok(!memcmp(m.file.status, wanted, 6) && m.left == left && m.failed == failed, "%s: %.6s", name, m.file.status);
}

static int
logs(char const *text)
{
    return memmem(m.log.s, m.log.len, text, strlen(text)) != 0;
}

static void
results(void)
{
    begin(0);
    frame('K', "0-9999999", "2.0.0", 0);
    statuses("TDDTST", 3, 0, "everybody means everybody of the job");
    ok(logs("class=K code=2.0.0 to=1-2,4 "), "the log names them");
    frame('D', "1-4", "5.0.0", 0);
    statuses("TDDTST", 3, 0, "a second result counts for nothing");
    begin(0);
    frame('D', "1-4", "5.1.1", 0);
    statuses("TFDTFT", 3, 2, "a failure is reported, but not with NOTIFY=NEVER");
    ok(m.low == 1 && m.high == 5, "status bytes 1 to 4 are to be written");
    begin(0);
    frame('Z', "2", "4.0.0", 0);
    statuses("TTTTTT", 6, 0, "a temporary failure leaves a recipient as he is");
    ok(logs("class=Z code=4.0.0 to=2 "), "and stands in the log");
    begin(1);
    frame('Z', "2,4", "4.0.0", 0);
    statuses("TTDTFT", 4, 1, "in the last attempt it is final");
    ok(logs("class=D code=5.4.7 to=2,4 remote= text=It was tried for too long. The last answer: so it is\n"),
       "with the last answer");
    begin(0);
    ok(!m.succeeded, "no success yet");
    frame('K', "4,1", "2.0.0", 0);
    ok(logs("to=4,1 "), "out of order is taken too");
    statuses("TDTTST", 4, 0, "out of order");
    ok(m.succeeded == 1, "whoever asked for it is told of his success");
}

static void
hostile(void)
{
    static char const *const nonsense[] = {"", "-", "0,3,5-9", "x", "4-1", "99999999", "3-", "1 2", "4294967297"};

    for (unsigned int i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        begin(0);
        frame('K', nonsense[i], "2.0.0", 0);
        statuses("TTTTTT", 6, 0, nonsense[i]);
    }
    begin(0);
    job->number = 3 + SEND_JOBS;
    frame('K', "1", "2.0.0", 1);
    statuses("TTTTTT", 6, 0, "a number of before");
    begin(0);
    job->channel = s.channels + CHANNEL_LOCAL;
    frame('K', "1", "2.0.0", 1);
    statuses("TTTTTT", 6, 0, "another channel's number");
}

static void
ends(void)
{
    begin(0);
    frame('K', "1", "2.0.0", 0);
    frame('K', "2", "2.0.0", 1);
    ok(m.lost && !job->message && !s.njobs && !m.jobs, "done: the job is over, and one has no result");
    statuses("TDDTTT", 4, 0, "he will be tried again");
    ok(logs("class=Z code=4.3.0 to=4 "), "the log says so");
    begin(1);
    job->good = 0;
    frame(0, "", "", 1);
    statuses("TTTTTT", 6, 0, "no result in the last attempt: still not final");
    begin(0);
    frame('K', "1,2,4", "2.0.0", 1);
    ok(!m.lost, "all have results: nothing is lost");
}

static void
jobs(void)
{
    stralloc out = STRALLOC_ZERO;
    struct job j;
    struct job_recipient one;
    struct bytes cursor;
    uint32_t end;

    group.message = &m;
    group.at = 0;
    group.end = 3;
    ok(frame_job(&out, &m, &group, 2, 7, &end) && end == 2, "a job of at most two");
    ok(job_scan((struct bytes){out.s, out.len}, &j) && j.number == 7 && j.count == 2 && j.offset == FILE_HEADER &&
           j.length == 1000,
       "can be read");
    ok(j.key.len == 6 && !memcmp(j.key.s, "y.test", 6), "its key is the domain");
    cursor = j.recipients;
    ok(job_next(&j, &cursor, &one) == 1 && one.index == 1 && one.from.len == 20 &&
           !memcmp(one.from.s, "list-b=y.test@h.test", 20),
       "the sender names the recipient");
    ok(job_next(&j, &cursor, &one) == 1 && one.index == 2 && one.notify.len == 5, "NOTIFY goes along");
    stralloc_free(&out);
}

int
main(void)
{
    struct target targets[3];

    m.targets = targets;
    m.ntargets = 3;
    (void)dup2(open("/dev/null", O_WRONLY), 2);
    s.settings.concurrency = 20;
    s.settings.rcptperjob = 1000;
    s.settings.schedule.first = 400;
    s.settings.schedule.most = 14400;
    s.settings.queuelifetime = 604800;
    s.channels[CHANNEL_LOCAL].name = s.channels[CHANNEL_REMOTE].name = "x";
    clock_set(&s.clock, 1000000, 1795000000);
    make_message();
    group.dest = dest_find(&s, ROUTE_REMOTE, (struct bytes){"y.test", 6});
    results();
    hostile();
    ends();
    jobs();
    return tap_done();
}
