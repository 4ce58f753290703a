#include "send/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/durable.h"
#include "lib/log.h"
#include "queue/layout.h"
#include "send/aside.h"
#include "send/attempt.h"
#include "send/dispatch.h"
#include "send/marks.h"
#include "send/report.h"
#include "send/sync.h"

#define GATHER 20    /* milliseconds: marks of one message that come within are written at once */
#define SWEEP 30     /* and an unlink's folder is synced after so many */
#define LOOK_AGAIN 2 /* seconds: somebody holds it */
#define LOOK_MUCH_LATER 60
#define COPYING 20
#define REPORT_AGAIN 300
#define LIST_COST 4 /* bytes in memory for each of a list's envelope, if it leads to few hosts */
#define LOOSEN 1000 /* milliseconds: whoever waits longer for his turn is unlocked meanwhile */

void
message_path(char path[static MESSAGE_PATH], char const *id, int waits)
{
    size_t len = 0;

    if (waits) {
        memcpy(path, QUEUE_WAIT "/", sizeof QUEUE_WAIT);
        len = sizeof QUEUE_WAIT;
        memcpy(path + len, id + ID_LEN - 2, 2);
        path[len + 2] = '/';
        len += 3;
    } else {
        memcpy(path, QUEUE_NEW "/", sizeof QUEUE_NEW);
        len = sizeof QUEUE_NEW;
    }
    memcpy(path + len, id, ID_LEN);
    path[len + ID_LEN] = 0;
}

static void
say(char const *event, char const *id, int e)
{
    struct log l;

    log_start(&l, event);
    log_str(&l, "msg", id);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

/* A heap that cannot grow: the next scan finds the message again. */
void
message_later(struct send *s, uint32_t entry, uint32_t seconds)
{
    if (!table_put(&s->table, entry, TABLE_WAIT, (uint32_t)(s->clock.boot / 1000) + seconds))
        table_remove(&s->table, entry);
}

/* ---- loaded messages ---- */

static struct message *
message_new(struct send *s, uint32_t entry)
{
    struct message *m = calloc(1, sizeof *m);

    if (!m)
        return 0;
    m->entry = entry;
    m->fd = -1;
    m->waits = (s->table.entries[entry].flags & ENTRY_WAITS) != 0;
    m->now = (s->table.entries[entry].flags & ENTRY_NOW) != 0;
    m->again = (s->table.entries[entry].flags & ENTRY_AGAIN) != 0;
    table_id(&s->table, entry, m->id);
    m->next = s->messages;
    if (m->next)
        m->next->prev = m;
    s->messages = m;
    s->loaded++;
    return m;
}

static void
undirty(struct send *s, struct message *m)
{
    struct message **p;
    struct message *before = 0;

    if (!m->dirty)
        return;
    for (p = &s->dirty; *p != m; p = &(*p)->dirtynext)
        before = *p;
    *p = m->dirtynext;
    if (s->dirtylast == m)
        s->dirtylast = before;
    m->dirty = 0;
}

static size_t *
share(struct send *s, struct message const *m)
{
    return m->large ? &s->lists : &s->memory;
}

void
message_cost(struct send *s, struct message *m, size_t bytes)
{
    m->cost += bytes;
    *share(s, m) += bytes;
}

void
message_unload(struct send *s, struct message *m)
{
    undirty(s, m);
    if (m->prev)
        m->prev->next = m->next;
    else
        s->messages = m->next;
    if (m->next)
        m->next->prev = m->prev;
    s->loaded--;
    *share(s, m) -= m->cost;
    s->unmarked -= m->unmarked;
    if (m->fd != -1)
        close(m->fd);
    file_free(&m->file);
    stralloc_free(&m->log);
    stralloc_free(&m->text);
    free(m->targets);
    free(m->groups);
    free(m);
}

static void
forget(struct send *s, struct message *m)
{
    table_remove(&s->table, m->entry);
    message_unload(s, m);
}

static void
rest(struct send *s, struct message *m, uint32_t seconds)
{
    uint32_t entry = m->entry;

    message_unload(s, m);
    message_later(s, entry, seconds);
}

/* ---- marks ---- */

static void
dirty(struct send *s, struct message *m, uint64_t wait)
{
    if (m->dirty)
        return;
    m->dirty = 1;
    m->dirtied = s->clock.boot + wait;
    m->dirtynext = 0;
    if (s->dirtylast)
        s->dirtylast->dirtynext = m;
    else
        s->dirty = m;
    s->dirtylast = m;
}

void
message_dirty(struct send *s, struct message *m)
{
    dirty(s, m, GATHER);
}

/* Some of a job's answers may have come, and have been marked, long before its last. */
void
message_delivered(struct send *s, struct message *m)
{
    m->unmarked++;
    s->unmarked++;
    if (m->low >= m->high)
        m->synclog = 1;
    dirty(s, m, GATHER);
}

void
message_mark(struct send *s, struct message *m, uint32_t index, char status)
{
    char *at = m->file.status + index;

    if (*at == status)
        return;
    if (*at == STATUS_FAILED)
        m->failed--;
    else if (*at == STATUS_SUCCEEDED)
        m->succeeded--;
    else if (*at != STATUS_DONE && *at != STATUS_BOUNCED)
        m->left--;
    m->failed += status == STATUS_FAILED;
    m->succeeded += status == STATUS_SUCCEEDED;
    *at = status;
    if (m->low == m->high) {
        m->low = index;
        m->high = index + 1;
    } else if (index < m->low)
        m->low = index;
    else if (index >= m->high)
        m->high = index + 1;
    dirty(s, m, GATHER);
}

static struct message *
first_due(struct send const *s)
{
    struct message *m = s->dirty;

    while (m && m->dirtied > s->clock.boot && !(s->pressed && m->unmarked))
        m = m->dirtynext;
    return m;
}

int
message_flush(struct send *s)
{
    int next = -1;

    for (struct message *m; (m = first_due(s));) {
        undirty(s, m);
        if (marks_write(s, m))
            message_proceed(s, m);
        else
            dirty(s, m, 1000);
    }
    for (struct message *m = s->dirty; m; m = m->dirtynext) {
        int left = (int)(m->dirtied - s->clock.boot);
        if (next == -1 || left < next)
            next = left;
    }
    return next;
}

/* Writes what is not written yet. Returns 1 if nothing of it is under way: only then may the message be unloaded. */
static int
is_written(struct send *s, struct message *m)
{
    undirty(s, m);
    if ((m->low < m->high || m->log.len) && !marks_write(s, m)) {
        dirty(s, m, 1000);
        return 0;
    }
    return !m->syncs;
}

static void
loosen_soon(struct send *s)
{
    if (!s->loosen)
        s->loosen = s->clock.boot + LOOSEN;
}

/* ---- the end of a message, and of an attempt ---- */

/* Asks for a sync of the folder in wait/ that the message lies in; it may want to hear of that. 0 if that cannot be opened. */
static int
sync_folder(struct send *s, struct message *m, int hears)
{
    char path[MESSAGE_PATH];
    int fd;
    int good;

    message_path(path, m->id, 1);
    path[sizeof QUEUE_WAIT + 2] = 0;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    good = sync_ask(&s->syncs, (struct synced){.message = hears ? m : 0, .unmarked = m->unmarked}, fd, 1);
    if (good)
        m->unmarked = 0;
    else
        good = fsync(fd) == 0;
    close(fd);
    return good;
}

/* queue/new is synced soon, for all whose names left it until then. */
static void
sweep_soon(struct send *s)
{
    if (!s->sweep)
        s->sweep = s->clock.boot + SWEEP;
}

/* All recipients are done, and unlink is the mark. Nobody waits until it is on disk: a power cut before
 * may bring the message back, and with it what was delivered in that moment. */
static void
end(struct send *s, struct message *m)
{
    char path[MESSAGE_PATH];

    /* An operator's move that a power cut stopped: its other name must not bring it all again. */
    if (m->linked && !is_written(s, m))
        return;
    message_path(path, m->id, m->waits);
    if (unlink(path) == -1 && errno != ENOENT) {
        say("unlinkfailed", m->id, errno);
        if (is_written(s, m)) /* so that nobody gets it again */
            rest(s, m, LOOK_MUCH_LATER);
        return;
    }
    if (m->waits)
        (void)sync_folder(s, m, 0);
    else {
        sweep_soon(s);
        s->unswept += m->unmarked;
        m->unmarked = 0;
    }
    say("end", m->id, 0);
    forget(s, m);
}

/* The attempt is over and somebody is left: into wait/XX until the next one. The new name is on disk before the old
 * one goes; after a crash between, both lead to the same file. */
static int
moved(struct send *s, struct message *m)
{
    char from[MESSAGE_PATH], to[MESSAGE_PATH];
    struct stat st;

    message_path(from, m->id, 0);
    message_path(to, m->id, 1);
    if (m->moving) {
        if (unlink(from) == -1 && errno != ENOENT) {
            say("unlinkfailed", m->id, errno);
            s->table.entries[m->entry].flags |= ENTRY_TWICE;
        } else
            sweep_soon(s); /* came the old name back after the message's end, everybody would get it again */
        m->moving = 0;
        m->waits = 1;
        s->table.entries[m->entry].flags |= ENTRY_WAITS;
        return 1;
    }
    if (link(from, to) == -1) {
        if (errno == ENOENT && access(from, F_OK) == -1)
            m->gone = 1;
        else if (errno == EEXIST && lstat(to, &st) == 0 && st.st_ino == m->ino && st.st_dev == m->dev)
            goto linked;
        else {
            say("linkfailed", m->id, errno);
            if (errno == EEXIST)
                s->table.entries[m->entry].flags |= ENTRY_TWICE;
        }
        return 1;
    }
linked:
    m->moving = sync_folder(s, m, 1) != 0;
    if (!m->moving)
        s->table.entries[m->entry].flags |= ENTRY_TWICE;
    return !m->moving || (!m->syncs && moved(s, m));
}

/* An owed report is not left for long: its sender believes that all is well. */
static void
plan(struct send const *s, struct message *m)
{
    if (m->kept && (!m->again_at || m->again_at > s->clock.wall + LOOK_MUCH_LATER))
        m->again_at = s->clock.wall + LOOK_MUCH_LATER;
    if (!m->again_at)
        m->again_at = attempt_next(s, m, 0);
    if (m->unreported && m->again_at > s->clock.wall + REPORT_AGAIN)
        m->again_at = s->clock.wall + REPORT_AGAIN;
}

static void
defer(struct send *s, struct message *m)
{
    struct entry *e = s->table.entries + m->entry;
    uint32_t entry = m->entry;
    uint32_t key;

    plan(s, m);
    if (!m->moving) {
        undirty(s, m);
        if (!marks_write(s, m)) {
            dirty(s, m, 1000);
            return;
        }
        if (m->syncs)
            return;
    }
    if (!m->gone && !m->waits && !m->unclean && !moved(s, m))
        return;
    if (m->gone) {
        say("gone", m->id, 0);
        forget(s, m);
        return;
    }
    key = schedule_key(&s->clock, m->again_at);
    e->flags &= (uint8_t)~ENTRY_AGAIN;
    if (m->lost || m->unclean || !m->waits) /* in new/ nothing else tells that it was tried */
        e->flags |= ENTRY_AGAIN;
    message_unload(s, m);
    if (!table_put(&s->table, entry, TABLE_WAIT, key))
        table_remove(&s->table, entry);
}

void
message_proceed(struct send *s, struct message *m)
{
    if (m->jobs || m->open || m->syncs || m->reporting) {
        if (m->open && !m->jobs)
            loosen_soon(s);
        return;
    }
    if (m->gone) {
        say("gone", m->id, 0);
        forget(s, m);
    } else if ((m->failed || m->succeeded) && !m->unreported) {
        /* The failures are on disk before the report is made: an attempt after a crash must not deliver what
         * its sender was told is lost. */
        if (is_written(s, m))
            report_ask(s, m, m->failed ? REPORT_FAILED : REPORT_SUCCEEDED);
    } else if (!m->left && !m->failed && !m->succeeded)
        end(s, m);
    else if (m->attempt == TRY_NOT_YET && (m->left || s->stopping)) {
        /* The mark of a report that was just made, too: a message that is parked, or left to our successor, must not
         * be reported on again. */
        if (!is_written(s, m))
            return;
        if (s->stopping)
            rest(s, m, LOOK_MUCH_LATER);
        else {
            loosen_soon(s);
            attempt_begin(s, m);
        }
    } else if (m->soon)
        rest(s, m, LOOK_MUCH_LATER);
    else if (m->left && !m->notices && !s->stopping && report_late(s, m)) {
        if (is_written(s, m))
            report_ask(s, m, REPORT_DELAYED);
    } else {
        m->attempt = TRY_OVER;
        defer(s, m);
    }
}

void
message_synced(struct send *s, struct message *m, int e)
{
    if (e) {
        say("syncfailed", m->id, e);
        m->unclean = 1;
        m->moving = 0; /* both names stay: the next attempt finds them */
        m->unreported = m->failed != 0;
        if (!m->waits)
            s->table.entries[m->entry].flags |= ENTRY_TWICE;
    }
    message_proceed(s, m);
}

/* ---- loading ---- */

/* What does not lead to a message: damaged for good, or only being copied. */
static void
damaged(struct send *s, struct message *m, char const *path, char const *why)
{
    struct stat st;

    if (fstat(m->fd, &st) == 0 && s->clock.wall - (uint64_t)st.st_ctime < s->settings.copytime &&
        (uint64_t)st.st_ctime <= s->clock.wall) {
        rest(s, m, COPYING);
        return;
    }
    (void)aside(path, QUEUE_BAD, m->id, why);
    forget(s, m); /* if it cannot be moved, the next scan finds it again */
}

/* No memory, no descriptors: everything waits, longer each time. A single file that cannot be read waits alone. */
static void
trouble(struct send *s, struct message *m, int e)
{
    say("readfailed", m->id, e);
    if (e == EMFILE || e == ENFILE || e == ENOMEM || e == ENOBUFS) {
        s->backoff = s->backoff ? s->backoff * 2 : 1000;
        if (s->backoff > 60000)
            s->backoff = 60000;
        s->pause = s->clock.boot + s->backoff;
        rest(s, m, 1 + s->backoff / 1000);
    } else
        rest(s, m, LOOK_MUCH_LATER);
}

/* One file under both names: that in new/ goes. Under its lock, for an operator's program may be about to take the other one.
 * Returns 0 if somebody else has it. */
static int
settle_one(char const *first, char const *second, char const *id)
{
    char folder[MESSAGE_PATH];
    struct stat st, named, other;
    int file = open(second, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int locked = file != -1 && flock(file, LOCK_EX | LOCK_NB) == 0;

    if (locked && fstat(file, &st) == 0 && lstat(first, &named) == 0 && lstat(second, &other) == 0 &&
        st.st_ino == named.st_ino && st.st_dev == named.st_dev && st.st_ino == other.st_ino &&
        st.st_dev == other.st_dev) {
        message_path(folder, id, 1);
        folder[sizeof QUEUE_WAIT + 2] = 0;
        if (durable_sync(folder))
            (void)unlink(second);
    }
    if (file != -1)
        close(file);
    return locked;
}

/* The same name in new/ and in wait/XX. One file: a move that was cut short is brought to its end. Two: an operator's
 * copy; the first is the one that was tried already, the other goes to hold/. Rare, so it may wait for the disk. */
static void
settle_twice(struct send *s, uint32_t entry, char const *id)
{
    char first[MESSAGE_PATH], second[MESSAGE_PATH];
    struct stat a, b;

    s->table.entries[entry].flags &= (uint8_t)~ENTRY_TWICE;
    message_path(first, id, 1);
    message_path(second, id, 0);
    if (lstat(first, &a) == -1 || lstat(second, &b) == -1)
        return;
    s->table.entries[entry].flags |= ENTRY_WAITS;
    if (a.st_ino != b.st_ino || a.st_dev != b.st_dev)
        (void)aside(second, QUEUE_HOLD, id, "another file of this name waits in the queue");
    else if (!settle_one(first, second, id))
        s->table.entries[entry].flags |= ENTRY_TWICE;
}

/* Opens it where it was last seen, or in the other folder. Returns 1, 0 if it is in neither, -1 with errno. */
static int
open_either(struct send *s, struct message *m, char path[static MESSAGE_PATH])
{
    for (unsigned int i = 0; i < 2; i++) {
        message_path(path, m->id, m->waits);
        m->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (m->fd != -1) {
            if (i) /* moved by hand: a name that was never seen there proves nothing */
                m->again = 1;
            return 1;
        }
        if (errno != ENOENT)
            return -1;
        m->waits = !m->waits;
        s->table.entries[m->entry].flags ^= ENTRY_WAITS;
    }
    return 0;
}

/* The lock is on the description, which goes along with the jobs; the name must still lead to what was locked. */
static int
lock(struct message *m, char const *path)
{
    struct stat st, named;

    if (flock(m->fd, LOCK_EX | LOCK_NB) == -1 || fstat(m->fd, &st) == -1)
        return 0;
    if (lstat(path, &named) == -1 || named.st_ino != st.st_ino || named.st_dev != st.st_dev)
        return (errno = EWOULDBLOCK, 0);
    m->dev = st.st_dev;
    m->ino = st.st_ino;
    m->linked = st.st_nlink > 1;
    return 1;
}

/* The envelope's records of the message, and its status. Returns the second it is held until, 0. */
static uint64_t
look_at(struct message *m)
{
    struct bytes cursor = m->file.envelope;
    struct record r;
    uint64_t hold = 0;

    m->arrival = 0;
    while (envelope_next(&cursor, &r) == 1 && !record_is(&r, "to"))
        if (record_is(&r, "from"))
            m->from = r.value;
        else if (record_is(&r, "body"))
            m->body = r.value;
        else if (record_is(&r, "ret"))
            m->ret = r.value;
        else if (record_is(&r, "envid"))
            m->envid = r.value;
        else if (record_is(&r, "login"))
            m->login = r.value;
        else if (record_is(&r, "smtputf8"))
            m->smtputf8 = 1;
        else if (record_is(&r, "requiretls"))
            m->requiretls = 1;
        else if (record_is(&r, "time"))
            (void)record_uint(&r, &m->arrival);
        else if (record_is(&r, "hold"))
            (void)record_uint(&r, &hold);
    for (uint32_t i = 0; i < m->file.header.recipients; i++)
        if (m->file.status[i] == STATUS_FAILED)
            m->failed++;
        else if (m->file.status[i] == STATUS_SUCCEEDED)
            m->succeeded++;
        else if (m->file.status[i] != STATUS_DONE && m->file.status[i] != STATUS_BOUNCED)
            m->left++;
    return hold;
}

/* It cannot have come later than it was first tried: what came under a clock that was ahead, which nobody knows of, would never be too
 * old. */
static void
arrived(struct send const *s, struct message *m)
{
    stralloc log = STRALLOC_ZERO;
    struct file_event first;

    if (m->arrival && m->arrival <= s->clock.wall)
        return;
    if (marks_log(m, &log)) {
        struct bytes left = {log.s, log.len};
        if (file_event_next(&left, &first) && first.time <= s->clock.wall)
            m->arrival = first.time;
    }
    stralloc_free(&log);
    if (!m->arrival)
        m->arrival = s->clock.wall;
}

/* Lists have their share of the memory, so that they never keep out a letter; one of them may always be loaded. Told before the envelope is
 * read. */
static int
no_room(struct send const *s, struct message *m)
{
    char raw[FILE_HEADER];
    struct file_header h;
    struct stat st;

    if (fstat(m->fd, &st) == -1 || st.st_size < SEND_LARGE || pread(m->fd, raw, sizeof raw, 0) != sizeof raw ||
        !file_header_scan(raw, &h) || h.envelope < SEND_LARGE)
        return 0;
    m->large = 1;
    return s->lists && s->lists + (size_t)h.envelope * LIST_COST > SEND_MEMORY / 4 * 3;
}

/* Opened, locked and proved, or put where it belongs. Returns 1 if it is ready. */
static int
fetch(struct send *s, struct message *m)
{
    char path[MESSAGE_PATH];
    char const *why;
    int got = open_either(s, m, path);

    if (got == 0) { /* delivered before its hint came, or an operator took it */
        forget(s, m);
        return 0;
    }
    if (got == -1 && (errno == ELOOP || errno == ENXIO)) {
        (void)aside(path, QUEUE_BAD, m->id, "it is no file");
        forget(s, m);
        return 0;
    }
    if (got == 1 && !lock(m, path)) {
        if (errno == EWOULDBLOCK || errno == ENOENT) {
            rest(s, m, LOOK_AGAIN);
            return 0;
        }
        got = -1;
    }
    if (got == 1 && no_room(s, m)) {
        rest(s, m, LOOK_AGAIN);
        return 0;
    }
    if (got == 1)
        got = file_read(m->fd, &m->file, &why);
    if (got == -1)
        trouble(s, m, errno);
    else if (!got)
        damaged(s, m, path, why);
    return got == 1;
}

/* What a pneu-send or a pneu-return wrote that was killed then may be in memory alone, and a power cut would take it back: a
 * report must not be made of a failure that is not on disk, or its recipient might get the message all the same. So the marks
 * are written once more before anything is done about them. */
static void
write_again(struct message *m)
{
    uint32_t n = m->file.header.recipients;

    if (m->failed || m->left < n) {
        m->low = 0;
        m->high = n;
    }
}

void
message_load(struct send *s, uint32_t entry)
{
    struct message *m = message_new(s, entry);
    unsigned int flags = s->table.entries[entry].flags;
    uint64_t hold;

    if (!m) {
        message_later(s, entry, LOOK_AGAIN);
        return;
    }
    /* Of what a scan found in new/, the scan may not have come to the other name yet. */
    if (flags & ENTRY_TWICE || (flags & ENTRY_AGAIN && !(flags & ENTRY_WAITS)))
        settle_twice(s, entry, m->id);
    m->waits = (s->table.entries[entry].flags & ENTRY_WAITS) != 0;
    if (!fetch(s, m))
        return;
    hold = look_at(m);
    if (hold > s->clock.wall) {
        uint64_t wait = hold - s->clock.wall;
        rest(s, m, wait > SCHEDULE_FURTHEST ? SCHEDULE_FURTHEST : (uint32_t)wait);
        return;
    }
    arrived(s, m);
    if (m->arrival < hold)
        m->arrival = hold; /* its time begins there */
    if (flags & ENTRY_AGAIN || m->failed)
        write_again(m);
    s->backoff = 0;
    message_cost(s, m, m->file.data.a);
    message_proceed(s, m);
}

/* ---- waiting unlocked ---- */

/* What was lost may go on in a deliverer, and what is not written yet would be forgotten. */
static int
only_waits(struct message const *m)
{
    return m->open && !m->jobs && m->attempt == TRY_UNDER_WAY && !m->syncs && !m->reporting && !m->dirty &&
           m->low == m->high && !m->log.len && !m->lost && !m->unclean && !m->gone;
}

void
message_loosen(struct send *s)
{
    if (!s->loaded)
        s->loosen = 0;
    if (!s->loosen || s->clock.boot < s->loosen)
        return;
    s->loosen = 0;
    for (struct message *m = s->messages; m; m = m->next)
        if (!m->loose && only_waits(m) && flock(m->fd, LOCK_UN) == 0)
            m->loose = 1;
}

static int
same_status(struct message const *m)
{
    size_t n = m->file.header.recipients;
    char *now = malloc(n);
    int same =
        now && pread(m->fd, now, n, file_status(&m->file.header)) == (ssize_t)n && !memcmp(now, m->file.status, n);

    free(now);
    return same;
}

/* Its recipients, sender and message cannot have changed: who writes those writes another file. */
int
message_tighten(struct message *m)
{
    char path[MESSAGE_PATH];

    if (!m->loose)
        return 1;
    message_path(path, m->id, m->waits);
    if (!lock(m, path) || !same_status(m))
        return 0;
    m->loose = 0;
    m->logend = 0;
    return 1;
}

void
message_reload(struct send *s, struct message *m)
{
    if (m->now)
        s->table.entries[m->entry].flags |= ENTRY_NOW;
    dispatch_withdraw(s, m);
    rest(s, m, 0);
}

void
message_asked(struct send *s, uint32_t entry)
{
    struct message *m = s->messages;

    while (m && m->entry != entry)
        m = m->next;
    if (!m || !m->loose)
        return;
    m->now = 1;
    s->asked = s->clock.boot;
    message_reload(s, m);
}
