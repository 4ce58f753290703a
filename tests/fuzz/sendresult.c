/* Any bytes as results of pneu-spawn: only the job's recipients may change, none twice, and never back. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "send/dest.h"
#include "send/dispatch.h"

#define RECIPIENTS 64
#define IN_JOB(i) ((i) % 3 == 1)

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static struct send *s;
static struct message m;
static struct target targets[RECIPIENTS];
static struct dest *dest;

static void
once(void)
{
    static stralloc envelope, status;

    /* The log would be all there is to see. */
    __sanitizer_set_report_fd((void *)(size_t)dup(2));
    (void)dup2(open("/dev/null", O_WRONLY), 2);
    s = calloc(1, sizeof *s);
    envelope_put(&envelope, "from", "a@b", 3);
    for (uint32_t i = 0; i < RECIPIENTS; i++) {
        envelope_put(&envelope, "to", "c@d.test", 8);
        if (IN_JOB(i))
            targets[m.ntargets++] =
                (struct target){.index = i, .record = (uint32_t)envelope.len, .len = 8, .route = ROUTE_REMOTE};
        stralloc_append(&status, STATUS_TODO);
    }
    stralloc_cats(&m.text, "c@d.test");
    m.file.envelope = (struct bytes){envelope.s, envelope.len};
    m.file.status = status.s;
    m.file.header.recipients = RECIPIENTS;
    m.targets = targets;
    s->settings.concurrency = s->settings.rcptperjob = 10;
    s->settings.schedule.first = s->settings.schedule.most = 400;
    s->channels[CHANNEL_REMOTE].name = s->channels[CHANNEL_LOCAL].name = "remote";
    dest = dest_find(s, ROUTE_REMOTE, (struct bytes){"d.test", 6});
}

static void
check(char const *before)
{
    for (uint32_t i = 0; i < RECIPIENTS; i++)
        if (m.file.status[i] != before[i] && (!IN_JOB(i) || before[i] != STATUS_TODO))
            abort();
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct bytes in = {(char const *)data, size};
    struct bytes frame;
    char before[RECIPIENTS];

    if (!s)
        once();
    memset(m.file.status, STATUS_TODO, RECIPIENTS);
    for (uint32_t i = 0; i < m.ntargets; i++)
        targets[i].answered = 0;
    m.left = RECIPIENTS;
    m.failed = m.succeeded = m.low = m.high = 0;
    m.open = m.jobs = 1; /* so that the message is never done with */
    m.dying = size & 1;
    m.log.len = 0;
    s->jobs[5] = (struct running){
        .message = &m, .dest = dest, .channel = s->channels + CHANNEL_REMOTE, .number = 5, .end = m.ntargets};
    s->njobs = dest->running = dest->waiting[PARK_NEW] = s->channels[CHANNEL_REMOTE].running = 1;
    while (netstring_take(&in, RESULT_MAX, &frame) == 1) {
        memcpy(before, m.file.status, sizeof before);
        dispatch_frame(s, s->channels + CHANNEL_REMOTE, frame);
        check(before);
    }
    return 0;
}
