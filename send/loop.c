#include "send/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>
#include <skalibs/selfpipe.h>
#include <skalibs/strerr.h>

#include "lib/exits.h"
#include "lib/log.h"
#include "queue/layout.h"
#include "send/dispatch.h"
#include "send/flush.h"
#include "send/message.h"
#include "send/park.h"
#include "send/report.h"
#include "send/scan.h"
#include "send/settings.h"
#include "send/sync.h"

#define LOADS 32        /* messages loaded before other work has its turn */
#define LONGEST 60000   /* milliseconds without a look at the clocks */
#define HELD 1000       /* nor without one at the settings, while they hold something */
#define DESCRIPTORS 200 /* that are not a message's */

static uint32_t
descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == -1)
        return 256;
    if (r.rlim_cur < SEND_LOADED + DESCRIPTORS) {
        r.rlim_cur = r.rlim_max < SEND_LOADED + DESCRIPTORS ? r.rlim_max : SEND_LOADED + DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &r);
        if (getrlimit(RLIMIT_NOFILE, &r) == -1)
            return 256;
    }
    return r.rlim_cur > SEND_LOADED + DESCRIPTORS ? SEND_LOADED + DESCRIPTORS : (uint32_t)r.rlim_cur;
}

static void
channels_init(struct send *s)
{
    static char const *const paths[] = {RUN_LOCAL, RUN_REMOTE};
    static char const *const names[] = {"local", "remote"};

    for (unsigned int i = 0; i < CHANNELS; i++)
        dispatch_init(s->channels + i, names[i], paths[i]);
}

int
loop_init(struct send *s, char const *bounce, char const **what)
{
    uint32_t n = descriptors();

    s->table = (struct table)TABLE_ZERO;
    s->bounce = bounce;
    replaced_mark(&s->bounced, bounce);
    s->scan.step = -2;
    s->scan.first = s->scan.again = 1;
    s->maxloaded = n > 2 * DESCRIPTORS ? n - DESCRIPTORS : n / 4; /* each may be copied on its way */
    channels_init(s);
    park_init(&s->senders, 0, 0);
    park_init(&s->released, 0, 0);
    clockfile_open(&s->clockfile, &s->clock);
    (void)clock_read(&s->clock);
    clockfile_save(&s->clockfile, &s->clock);
    s->scan.next = s->clock.boot;
    s->sequence = s->clock.boot * SEND_JOBS; /* an answer to a job of our predecessor is nobody's */
    *what = "settings in control/";
    if (!settings_read(s))
        return 0;
    *what = QUEUE_TRIGGER;
    if ((mkfifo(QUEUE_TRIGGER, 0600) == -1 && errno != EEXIST) || !trigger_listen(&s->trigger))
        return 0;
    *what = QUEUE_NEW;
    s->newfd = open(QUEUE_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->newfd != -1;
}

/* ---- loading ---- */

static uint32_t
take_first(struct send *s, enum table_place heap)
{
    uint32_t n = table_first(&s->table, heap);

    if (n != TABLE_NONE)
        table_take(&s->table, n);
    return n;
}

static uint32_t
take_due(struct send *s)
{
    uint32_t n = table_first(&s->table, TABLE_WAIT);

    return n != TABLE_NONE && s->table.entries[n].key <= s->clock.boot / 1000 ? take_first(s, TABLE_WAIT) : TABLE_NONE;
}

/* New mail, a backlog of it, old mail that is due, and what was parked take turns: none starves another. */
static uint32_t
next_entry(struct send *s)
{
    uint32_t n = TABLE_NONE;

    for (unsigned int i = 0; i < 4 && n == TABLE_NONE; i++)
        switch (s->turn++ % 4) {
        case 0:
            n = take_first(s, TABLE_FRESH);
            break;
        case 1:
            n = take_first(s, TABLE_BACKLOG);
            break;
        case 2:
            n = take_due(s);
            break;
        default:
            n = park_take(s);
        }
    return n;
}

static int
has_room(struct send const *s)
{
    return !s->stopping && s->loaded < s->maxloaded && (s->memory < SEND_MEMORY / 4 || !s->loaded) &&
           s->clock.boot >= s->pause;
}

/* Returns 1 if there may be more. */
static int
load_some(struct send *s)
{
    for (unsigned int i = 0; i < LOADS; i++) {
        uint32_t n;
        if (!has_room(s))
            return 0;
        n = next_entry(s);
        if (n == TABLE_NONE)
            return 0;
        message_load(s, n);
    }
    return 1;
}

/* ---- events ---- */

static void
children(struct send *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (report_ended(s, pid, status))
            continue;
        for (unsigned int i = 0; i < SEND_HELPERS; i++)
            if (s->syncs.helpers[i] == pid) /* what it had in hand nobody knows: begin anew */
                strerr_dief(EXIT_TEMP, "a helper process died");
    }
}

static void
signals_read(struct send *s)
{
    int sig;

    while ((sig = selfpipe_read()) > 0)
        switch (sig) {
        case SIGCHLD:
            children(s);
            break;
        case SIGHUP:
            s->settings.broken = 0;
            (void)settings_read(s);
            scan_ask(s);
            break;
        case SIGALRM:
            scan_flush(s);
            break;
        default:
            if (s->stopping)
                _exit(0);
            s->stopping = 1;
        }
    if (sig == -1)
        strerr_diefusys(EXIT_TEMP, "read signals");
}

/* After a power cut there may be a name again of what is done. */
static void
say_unsynced(int e)
{
    struct log l;

    log_start(&l, "syncfailed");
    log_str(&l, "folder", "queue");
    log_errno(&l, e);
    log_end(&l);
}

static void
answers(struct send *s)
{
    struct synced of;
    int e;
    int got;

    while ((got = sync_answer(&s->syncs, &of, &e)) == 1) {
        s->unmarked -= of.unmarked;
        s->sweeps -= of.sweep;
        if (of.message)
            message_synced(s, of.message, e);
        else if (e)
            say_unsynced(e);
    }
    if (got == -1)
        strerr_diefusys(EXIT_TEMP, "hear from the helper processes");
}

static void
sweep(struct send *s)
{
    int wanted = s->pressed && s->unswept && !s->sweeps; /* one at a time: it is for all that come meanwhile */

    s->pressed = 0;
    if (!s->sweep || (s->clock.boot < s->sweep && !wanted))
        return;
    s->sweep = 0;
    if (sync_ask(&s->syncs, (struct synced){.unmarked = s->unswept, .sweep = s->unswept != 0}, s->newfd, 1))
        s->sweeps += s->unswept != 0;
    else {
        if (fsync(s->newfd) == -1)
            say_unsynced(errno);
        s->unmarked -= s->unswept;
    }
    s->unswept = 0;
}

/* ---- waiting ---- */

static void
sooner(int *next, int64_t ms)
{
    if (ms < 0)
        return;
    if (*next == -1 || ms < *next)
        *next = ms > LONGEST ? LONGEST : (int)ms;
}

static void
until(int *next, struct send const *s, uint64_t boot)
{
    sooner(next, boot > s->clock.boot ? (int64_t)(boot - s->clock.boot) : 0);
}

/* Somebody waits for a setting to change. */
static int
is_held(struct send const *s)
{
    for (unsigned int i = 0; i < CHANNELS; i++)
        if (s->channels[i].held || !s->channels[i].limit)
            return 1;
    return !park_empty(&s->senders);
}

static int
longest_wait(struct send const *s, int dirty)
{
    uint32_t n = table_first(&s->table, TABLE_WAIT);
    int next = LONGEST;

    sooner(&next, dirty);
    sooner(&next, dispatch_wait(s));
    if (s->sweep)
        until(&next, s, s->sweep);
    if (s->stopping)
        return next;
    if (is_held(s))
        sooner(&next, HELD);
    if (s->loosen && s->loaded)
        until(&next, s, s->loosen);
    if (s->scan.step == -2)
        until(&next, s, s->scan.next);
    if (s->clock.boot < s->pause)
        until(&next, s, s->pause);
    else if (n != TABLE_NONE && has_room(s))
        until(&next, s, (uint64_t)s->table.entries[n].key * 1000);
    return next;
}

static void
look_at_clocks(struct send *s)
{
    struct log l;

    if (!clock_read(&s->clock)) {
        if (s->clock.boot - s->clockfile.saved >= CLOCKFILE_EVERY)
            clockfile_save(&s->clockfile, &s->clock);
        return;
    }
    clockfile_save(&s->clockfile, &s->clock);
    log_start(&l, "clockjump");
    log_uint(&l, "now", s->clock.wall);
    log_end(&l);
}

/* Waits, and handles what came. */
static void
wait_and_handle(struct send *s, int signals, int ms)
{
    iopause_fd x[3 + CHANNELS] = {{.fd = signals, .events = IOPAUSE_READ},
                                  {.fd = s->trigger.fd, .events = IOPAUSE_READ},
                                  {.fd = s->syncs.fd, .events = IOPAUSE_READ}};

    if (s->syncs.count)
        x[2].events |= IOPAUSE_WRITE;
    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct channel const *c = s->channels + i;
        x[3 + i].fd = c->up ? c->wire.fd : -1;
        x[3 + i].events = IOPAUSE_READ;
        if (c->up && c->wire.sent < c->wire.out.len)
            x[3 + i].events |= IOPAUSE_WRITE;
    }
    if (poll(x, 3 + CHANNELS, ms) == -1) {
        if (errno != EINTR)
            strerr_diefusys(EXIT_TEMP, "poll");
        return;
    }
    look_at_clocks(s);
    if (x[0].revents)
        signals_read(s);
    if (x[1].revents)
        scan_hints(s);
    if (x[2].revents & (short)~IOPAUSE_WRITE)
        answers(s);
    for (unsigned int i = 0; i < CHANNELS; i++)
        if (x[3 + i].fd != -1 && x[3 + i].revents & (short)~IOPAUSE_WRITE)
            dispatch_results(s, s->channels + i);
}

static int
finished(struct send const *s)
{
    if (!s->stopping || s->njobs || s->dirty || s->sweep || s->syncs.count || s->syncs.nfree < SEND_SYNCS)
        return 0;
    for (unsigned int i = 0; i < SEND_REPORTS; i++)
        if (s->running[i].pid)
            return 0;
    return 1;
}

int
loop_run(struct send *s, int signals)
{
    for (;;) {
        int more, dirty;

        look_at_clocks(s);
        if (s->clock.boot - s->settings.read >= (is_held(s) ? HELD : LONGEST))
            (void)settings_fresh(s);
        more = !s->stopping && scan_run(s);
        more |= !s->stopping && flush_run(s);
        park_sift(s);
        more |= load_some(s);
        more |= dispatch_run(s);
        more |= s->giving && has_room(s); /* a look at what was held may have let it go */
        message_loosen(s);
        dirty = message_flush(s);
        sweep(s);
        if (sync_flush(&s->syncs) == -1)
            strerr_diefusys(EXIT_TEMP, "give work to the helper processes");
        if (finished(s)) {
            clockfile_save(&s->clockfile, &s->clock);
            return 0;
        }
        wait_and_handle(s, signals, more ? 0 : longest_wait(s, dirty));
    }
}
