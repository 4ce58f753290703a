/* A loaded message and its marks: nothing is forgotten that is not on disk, and nothing freed that a helper still has. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/commit.h"
#include "queue/envelope.h"
#include "send/dispatch.h"
#include "send/message.h"
#include "send/report.h"
#include "send/scan.h"
#include "tests/tap.h"

static struct send s;
static char id[ID_SIZE];
static struct file_header header;

/* A queue file with that status, and pneu-send as it is before it loads it. Returns its entry. */
static uint32_t
begin(char const *status)
{
    static struct commit c = COMMIT_ZERO;
    stralloc envelope = STRALLOC_ZERO;
    uint32_t n = (uint32_t)strlen(status);
    char raw[FILE_HEADER];
    char path[MESSAGE_PATH];
    int fd;

    envelope_put(&envelope, "from", "a@x.test", 8);
    for (uint32_t i = 0; i < n; i++)
        envelope_put(&envelope, "to", "b@y.test", 8);
    if (!commit_init(&c) || !commit_begin(&c) || !commit_data(&c, "\n", 1) ||
        !commit_end(&c, (struct bytes){envelope.s, envelope.len}, n))
        exit(111);
    memcpy(id, c.id, ID_SIZE);
    commit_close(&c);
    stralloc_free(&envelope);

    message_path(path, id, 0);
    fd = open(path, O_RDWR);
    if (pread(fd, raw, sizeof raw, 0) != sizeof raw || !file_header_scan(raw, &header) ||
        pwrite(fd, status, n, file_status(&header)) != (ssize_t)n)
        exit(111);
    close(fd);

    memset(&s, 0, sizeof s);
    s.table = (struct table)TABLE_ZERO;
    s.settings.concurrency = 20;
    s.settings.rcptperjob = 1000;
    s.settings.schedule.first = 400;
    s.settings.schedule.most = s.settings.queuelifetime = 14400;
    dispatch_init(s.channels + CHANNEL_REMOTE, "remote", "run/remote");
    s.channels[CHANNEL_REMOTE].limit = 20;
    s.bounce = "/bin/true";
    for (uint32_t i = 0; i < SEND_SYNCS; i++)
        s.syncs.free[i] = i;
    s.syncs.nfree = SEND_SYNCS;
    clock_read(&s.clock);
    s.settings.read = s.clock.boot;
    return table_add(&s.table, id);
}

/* What the file holds, "?" if it is not there. */
static char const *
on_disk(int waits)
{
    static char status[16];
    char path[MESSAGE_PATH];
    int fd;

    message_path(path, id, waits);
    fd = open(path, O_RDONLY);
    memset(status, 0, sizeof status);
    if (fd == -1 || pread(fd, status, header.recipients, file_status(&header)) == -1)
        *status = '?';
    close(fd);
    return status;
}

/* The report's process ends well. */
static void
report_ends(void)
{
    int status;
    pid_t pid = waitpid(s.running[0].pid, &status, 0);

    report_ended(&s, pid, status);
}

/* The helper answers every request it has. */
static void
helper_answers(void)
{
    for (uint32_t i = 0; i < SEND_SYNCS; i++) {
        struct synced of = s.syncs.of[i];
        if (!of.message && !of.unmarked)
            continue;
        s.syncs.of[i] = (struct synced){0};
        s.syncs.free[s.syncs.nfree++] = i;
        s.unmarked -= of.unmarked;
        if (of.message) {
            of.message->syncs--;
            message_synced(&s, of.message, 0);
        }
    }
}

static void
reported_then_stopped(void)
{
    uint32_t entry = begin("FT");

    message_load(&s, entry);
    ok(s.loaded == 1 && s.messages->syncs == 1 && !s.running[0].pid,
       "a failure, whoever marked it, is synced before its report");
    helper_answers();
    ok(s.running[0].pid > 0, "an owed report is made before the attempt");
    s.stopping = 1;
    report_ends();
    ok(!strcmp(on_disk(0), "BT"), "stopped then: that it was made is written (%s)", on_disk(0));
    ok(s.loaded == 1, "and waited for");
    helper_answers();
    ok(!s.loaded && s.table.entries[entry].place == TABLE_WAIT, "then it rests");
}

static void
reported_then_parked(void)
{
    uint32_t entry = begin("FT");

    message_load(&s, entry);
    helper_answers();
    s.channels[CHANNEL_REMOTE].waiting[PARK_NEW] = 1000; /* full */
    report_ends();
    helper_answers();
    ok(!s.loaded && s.table.entries[entry].place == TABLE_PARKED, "its channel is full: it is parked");
    ok(!strcmp(on_disk(0), "BT"), "that its report was made is written (%s)", on_disk(0));
}

/* Delivered, but the report of that cannot be made now: he gets nothing more, and the others do not wait for it. */
static void
success_is_owed(void)
{
    uint32_t entry = begin("TST");

    s.bounce = "/bin/false";
    message_load(&s, entry);
    ok(s.running[0].pid > 0 && s.messages->kind == REPORT_SUCCEEDED,
       "an owed report of success is made before the attempt");
    report_ends();
    ok(s.loaded == 1 && s.messages->unreported && s.messages->open == 1, "it is refused: the attempt begins");
    ok(s.loaded == 1 && s.messages->ntargets == 2 && s.messages->targets[0].index == 0 &&
           s.messages->targets[1].index == 2,
       "for who is left, not for who has it");
    ok(!strcmp(on_disk(0), "TST"), "it is still owed (%s)", on_disk(0));
    entry = begin("S");
    message_load(&s, entry);
    report_ends();
    helper_answers();
    ok(!s.loaded && !strcmp(on_disk(0), "?"), "and where it is made, and nobody left, the message ends");
}

static void
unlink_fails(void)
{
    uint32_t entry = begin("F");

    message_load(&s, entry);
    helper_answers();
    chmod("queue/new", 0555);
    report_ends();
    ok(!strcmp(on_disk(0), "B"), "unlink fails: the mark is written instead (%s)", on_disk(0));
    if (ok(s.loaded == 1, "a message whose sync is under way stays loaded"))
        helper_answers();
    ok(!s.loaded && s.table.entries[entry].place == TABLE_WAIT, "then it rests");
    chmod("queue/new", 0755);
}

static void
move_fails(void)
{
    uint32_t entry = begin("T");

    message_load(&s, entry);
    ok(s.loaded == 1 && s.messages->open == 1, "an attempt begins");
    s.messages->open = 0; /* and is over */
    message_proceed(&s, s.messages);
    ok(!s.loaded && s.table.entries[entry].place == TABLE_WAIT && !(s.table.entries[entry].flags & ENTRY_WAITS),
       "without a folder to wait in it stays in new/");
    ok(s.table.entries[entry].flags & ENTRY_AGAIN, "that it was tried is not forgotten");
}

/* Deferred, with a folder to wait in. Returns the entry, in wait/XX. */
static uint32_t
move(mode_t mode)
{
    char path[MESSAGE_PATH];
    uint32_t entry = begin("T");

    mkdir("queue/wait", 0755);
    message_path(path, id, 1);
    path[sizeof "queue/wait/XX" - 1] = 0;
    mkdir(path, 0755);
    message_load(&s, entry);
    s.messages->open = 0;
    chmod("queue/new", mode);
    message_proceed(&s, s.messages);
    helper_answers();
    chmod("queue/new", 0755);
    return entry;
}

static void
moves(void)
{
    uint32_t entry = move(0755);

    ok(!s.loaded && s.table.entries[entry].flags & ENTRY_WAITS, "it moves to wait/XX");
    ok(!strcmp(on_disk(1), "T") && !strcmp(on_disk(0), "?"), "and is there alone");
    ok(s.sweep != 0, "that new/ has it no more will be on disk soon");
    ok(!(s.table.entries[entry].flags & ENTRY_TWICE), "it has one name");
    entry = move(0555);
    ok(!strcmp(on_disk(1), "T") && !strcmp(on_disk(0), "T"), "unlink fails: both names are there");
    ok(s.table.entries[entry].flags & ENTRY_TWICE, "which is remembered");
}

/* Another host has it for the first recipient: its place is not free before the mark is on disk. Others are still open. */
static void
delivered(char const *status, uint32_t open)
{
    uint32_t entry = begin(status);

    message_load(&s, entry);
    helper_answers();
    s.messages->open = open;
    s.messages->unmarked = s.unmarked = 1;
    message_mark(&s, s.messages, 0, STATUS_DONE);
    message_proceed(&s, s.messages);
}

static void
places(void)
{
    char path[MESSAGE_PATH];

    delivered("T", 0);
    ok(!s.loaded && s.unmarked == 1 && s.unswept == 1,
       "the name in new/ is its mark: its place waits for the folder's sync");

    delivered("TD", 0);
    ok(!s.loaded && s.unswept == 1, "so it is where others were done before");

    delivered("TT", 1);
    ok(s.loaded == 1 && s.unmarked == 1 && !s.unswept, "somebody is left: it waits for the file's");
    s.messages->dirtied = s.clock.boot + 1000;
    message_flush(&s);
    ok(!strcmp(on_disk(0), "TT"), "which is not written yet");
    s.pressed = 1;
    message_flush(&s);
    ok(!strcmp(on_disk(0), "DT") && s.unmarked == 1 && !s.messages->unmarked,
       "but at once where others wait for the place");
    helper_answers();
    ok(!s.unmarked, "and the sync gives it back");

    delivered("TT", 1);
    chmod("queue/new", 0);
    s.pressed = 1;
    message_flush(&s);
    chmod("queue/new", 0755);
    ok(!s.unmarked && s.loaded == 1, "a mark that cannot be written holds up nobody");
    message_unload(&s, s.messages);

    delivered("TT", 1);
    message_unload(&s, s.messages);
    ok(!s.unmarked, "nor does a message that was taken away");

    delivered("TT", 1);
    message_path(path, id, 0);
    unlink(path);
    s.pressed = 1;
    message_flush(&s);
    ok(s.loaded == 1 && !s.unmarked, "or moved, and still has somebody who waits");
    message_unload(&s, s.messages);
}

static void
answer(uint64_t job, char class, char const *to, int done)
{
    struct result r = {.job = job,
                       .class = class,
                       .code = {"4.0.0", 5},
                       .to = {to, strlen(to)},
                       .text = {"x", 1},
                       .done = (uint8_t)done};
    stralloc out = STRALLOC_ZERO;
    struct bytes in, frame;

    result_put(&out, &r);
    in = (struct bytes){out.s, out.len};
    netstring_take(&in, RESULT_MAX, &frame);
    dispatch_frame(&s, s.channels + CHANNEL_REMOTE, frame);
    stralloc_free(&out);
}

/* A job for all recipients of a message, others of which are still open elsewhere. */
static struct message *
job(char const *status)
{
    uint32_t entry = begin(status);
    struct message *m;

    message_load(&s, entry);
    helper_answers();
    m = s.messages;
    m->open = 2;
    s.jobs[0] = (struct running){.message = m,
                                 .dest = m->groups->dest,
                                 .channel = s.channels + CHANNEL_REMOTE,
                                 .number = SEND_JOBS,
                                 .end = m->ntargets};
    s.njobs = s.channels[CHANNEL_REMOTE].running = s.jobs[0].dest->running = m->jobs = 1;
    return m;
}

static void
answers_in_parts(void)
{
    struct message *m = job("TT");

    answer(SEND_JOBS, 'K', "0", 0);
    clock_set(&s.clock, s.clock.boot + 1000, s.clock.wall + 1);
    message_flush(&s);
    helper_answers();
    ok(!strcmp(on_disk(0), "DT") && !m->dirty, "the first answer of a job is marked before the last comes");
    answer(SEND_JOBS, 'Z', "1", 1);
    ok(s.unmarked == 1 && m->jobs == 0, "then its place waits");
    s.pressed = 1;
    message_flush(&s);
    ok(m->syncs == 1 && !m->unmarked, "for a sync, though nothing is left to mark");
    helper_answers();
    ok(!s.unmarked, "and is free again");
    message_unload(&s, m);

    m = job("TT");
    answer(SEND_JOBS, 'Z', "0-1", 1);
    ok(!s.unmarked && m->log.len && m->dirty, "what was said to some is written while others wait");
    clock_set(&s.clock, s.clock.boot + 1000, s.clock.wall + 1);
    message_flush(&s);
    ok(!m->log.len && !m->syncs, "without a sync");
    message_loosen(&s);
    clock_set(&s.clock, s.clock.boot + 3000, s.clock.wall + 3);
    message_loosen(&s);
    ok(m->loose, "so that it can be unlocked");
    message_unload(&s, m);
}

/* Both names, and an operator's program that may be about to take one of them away: the other one stays until it has ended. */
static void
settled_under_the_lock(void)
{
    char first[MESSAGE_PATH], second[MESSAGE_PATH];
    uint32_t entry = begin("T");
    int fd;

    message_path(first, id, 0);
    message_path(second, id, 1);
    second[sizeof "queue/wait/XX" - 1] = 0;
    mkdir("queue/wait", 0755);
    mkdir(second, 0755);
    message_path(second, id, 1);
    fd = open(first, O_RDONLY);
    if (fd == -1 || link(first, second) == -1 || flock(fd, LOCK_EX) == -1)
        exit(111);
    s.table.entries[entry].flags = ENTRY_AGAIN;
    message_load(&s, entry);
    ok(!s.loaded && !strcmp(on_disk(0), "T") && !strcmp(on_disk(1), "T"),
       "two names, somebody has the lock: both stay");
    ok(s.table.entries[entry].place == TABLE_WAIT && s.table.entries[entry].flags & ENTRY_TWICE,
       "and are looked at again");
    close(fd);
    message_load(&s, entry);
    ok(s.loaded == 1 && !strcmp(on_disk(0), "?") && !strcmp(on_disk(1), "T"), "then that in wait/ is left");
    ok(!(s.table.entries[entry].flags & ENTRY_TWICE), "and known to be one");
}

/* Reports that cannot be started leave none behind that nobody would start. */
static void
reports_fail(void)
{
    static struct message busy = {.jobs = 1}, first = {.jobs = 1}, second = {.jobs = 1};

    begin("T");
    s.bounce = "/nonexistent";
    for (unsigned int i = 0; i < SEND_REPORTS; i++)
        s.running[i] = (struct report){.pid = 100 + (pid_t)i, .message = &busy};
    report_ask(&s, &first, REPORT_FAILED);
    report_ask(&s, &second, REPORT_FAILED);
    ok(first.reporting && second.reporting, "two reports wait");
    report_ended(&s, 100, 0);
    ok(first.unreported && !first.reporting, "the first cannot be started");
    ok(second.unreported && !second.reporting, "nor the second");
}

/* Files that were written by another clock tell a scan nothing. */
static void
clocks(void)
{
    static char const waits[] = "0123456789abcdef0123456789ab";
    static struct {
        int64_t jump, mtime; /* seconds, from the clock as it was; from what it is then */
        uint32_t key;
        char const *what;
    } const table[] = {
        {0, 700, 700, "a scan believes a file's time"},
        {-365 * 86400, 365 * 86400 + 700, 500, "not behind a jump into the past"},
        {365 * 86400, -365 * 86400 + 700, 500, "nor behind one ahead: no storm"},
        {365 * 86400, -2, 0, "but that somebody has just made it due"},
    };

    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        struct timespec times[2] = {{.tv_sec = 0}};
        uint32_t n, boot;
        int fd;
        (void)begin("T");
        n = table_add(&s.table, waits);
        boot = (uint32_t)(s.clock.boot / 1000);
        s.table.entries[n].flags = ENTRY_WAITS;
        table_put(&s.table, n, TABLE_WAIT, boot + 500);
        clock_set(&s.clock, s.clock.boot, (uint64_t)((int64_t)s.clock.wall + table[i].jump));
        times[0].tv_sec = times[1].tv_sec = (time_t)((int64_t)s.clock.wall + table[i].mtime);
        mkdir("queue/wait", 0700);
        mkdir("queue/wait/ab", 0700);
        fd = open("queue/wait/ab/0123456789abcdef0123456789ab", O_WRONLY | O_CREAT, 0600);
        futimens(fd, times);
        close(fd);
        s.scan.step = -2;
        s.scan.again = 1;
        while (scan_run(&s))
            ;
        ok(s.table.entries[n].place == TABLE_WAIT && s.table.entries[n].key == boot + table[i].key, "%s",
           table[i].what);
        unlink("queue/wait/ab/0123456789abcdef0123456789ab");
    }
}

int
main(void)
{
    char folder[] = "/tmp/pneu-send-message.XXXXXX";
    char command[] = "rm -rf /tmp/pneu-send-message.XXXXXX";

    (void)dup2(open("/dev/null", O_WRONLY), 2);
    if (!geteuid() && (setegid(65534) == -1 || seteuid(65534) == -1)) /* root may do all: nothing would fail */
        return 111;
    if (!mkdtemp(folder) || chdir(folder) == -1 || mkdir("queue", 0755) == -1 || mkdir("queue/new", 0755) == -1)
        return 111;
    reported_then_stopped();
    reported_then_parked();
    success_is_owed();
    unlink_fails();
    move_fails();
    moves();
    places();
    answers_in_parts();
    settled_under_the_lock();
    reports_fail();
    clocks();
    memcpy(command + sizeof command - sizeof folder, folder, sizeof folder);
    if (chdir("/") == -1 || system(command) != 0)
        return 111;
    return tap_done();
}
