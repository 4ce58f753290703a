#include "send/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/layout.h"
#include "send/dest.h"
#include "send/flush.h"
#include "send/message.h"
#include "send/park.h"

#define SLICE 200     /* names looked at before other work has its turn */
#define RESCAN 300000 /* milliseconds */
#define RESCAN_TROUBLE 30000
#define STEPS 257
#define MOMENT 3600 /* seconds */
#define CHANGED 600 /* seconds: an operator's work on a million messages takes less */

static void
say(char const *event, char const *name, int e)
{
    struct log l;

    log_start(&l, event);
    log_str(&l, "name", name);
    if (e)
        log_errno(&l, e);
    log_end(&l);
}

/* ---- what is found ---- */

/* The newest come first. A token's name does not say when it was made: as if now. */
static uint32_t
backlog_key(struct send const *s, char const *id)
{
    uint64_t microseconds = 0;

    if (*id == 't')
        return UINT32_MAX - (uint32_t)s->clock.wall;
    for (unsigned int i = 0; i < 14; i++)
        microseconds = microseconds << 4 | (uint64_t)(id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10);
    return UINT32_MAX - (uint32_t)(microseconds / 1000000);
}

static void
no_memory(struct send *s)
{
    say("scanfailed", "queue", ENOMEM);
    s->scan.next = s->clock.boot + RESCAN_TROUBLE;
    s->scan.again = 1;
}

/* Somebody may have changed many messages, and told us of few of them: what was due before it was parked, and has a younger time now, is
 * read again. */
static void
found_parked(struct send *s, uint32_t n, char const *id)
{
    struct stat st;

    if (s->scan.thorough && s->table.entries[n].place == TABLE_PARKED &&
        fstatat(dirfd((DIR *)s->scan.folder), id, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtime + CHANGED >= (time_t)s->clock.wall)
        park_want(s, n);
}

static void
found_new(struct send *s, char const *id)
{
    uint32_t n = table_find(&s->table, id);

    if (n != TABLE_NONE) {
        struct entry *e = s->table.entries + n;
        if (e->flags & ENTRY_WAITS && e->place != TABLE_ACTIVE)
            e->flags |= ENTRY_TWICE;
        found_parked(s, n, id);
        if (e->flags & ENTRY_TWICE && e->place == TABLE_WAIT) /* put there by hand: what is new is due */
            message_later(s, n, 0);
        return;
    }
    n = table_add(&s->table, id);
    if (n == TABLE_NONE) {
        no_memory(s);
        return;
    }
    s->scan.found++;
    s->table.entries[n].flags |= ENTRY_AGAIN;
    if (!table_put(&s->table, n, TABLE_BACKLOG, backlog_key(s, id))) {
        table_remove(&s->table, n);
        no_memory(s);
    }
}

/* 1 if what is known of it is better than its file's time. Who asked for an attempt is not known to the file; and while the clock cannot be
 * believed, only times of that clock count: those of a moment ago. */
static int
is_planned(struct send const *s, struct entry const *e, time_t mtime)
{
    if (e->flags & ENTRY_NOW)
        return 1;
    return s->clock.jumped && (mtime > (time_t)s->clock.wall || mtime + MOMENT < (time_t)s->clock.wall);
}

static void
found_waiting(struct send *s, char const *id)
{
    uint32_t n = table_find(&s->table, id);
    struct stat st;

    if (n != TABLE_NONE) {
        struct entry *e = s->table.entries + n;
        if (!(e->flags & ENTRY_WAITS) && e->place != TABLE_ACTIVE)
            e->flags |= ENTRY_TWICE;
        found_parked(s, n, id);
        if (!s->scan.thorough || e->place != TABLE_WAIT)
            return;
    }
    if (fstatat(dirfd((DIR *)s->scan.folder), id, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return; /* gone meanwhile */
    if (n != TABLE_NONE && is_planned(s, s->table.entries + n, st.st_mtime))
        return;
    if (n == TABLE_NONE) {
        n = table_add(&s->table, id);
        if (n == TABLE_NONE) {
            no_memory(s);
            return;
        }
        s->scan.found++;
        s->table.entries[n].flags |= ENTRY_AGAIN | ENTRY_WAITS;
    }
    message_later(
        s, n, schedule_key(&s->clock, st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0) - (uint32_t)(s->clock.boot / 1000));
}

/* ---- the folders ---- */

static void
folder_name(char name[static sizeof QUEUE_WAIT + 3], int step)
{
    if (step)
        (void)snprintf(name, sizeof QUEUE_WAIT + 3, QUEUE_WAIT "/%02x", (unsigned int)(step - 1) & 255);
    else
        memcpy(name, QUEUE_NEW, sizeof QUEUE_NEW);
}

/* A folder that an operator lost is made again, and its name is durable before a message moves into it. */
static void
folder_make(char const *name)
{
    int fd;

    if (mkdir(name, 0700) == -1) {
        say("scanfailed", name, errno);
        return;
    }
    fd = open(QUEUE_WAIT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1 || fsync(fd) == -1) {
        say("scanfailed", QUEUE_WAIT, errno);
        (void)rmdir(name);
    }
    if (fd != -1)
        close(fd);
}

/* Opens the next folder that can be opened. Returns 1, or 0 at the end of the scan. */
static int
next_folder(struct send *s)
{
    char name[sizeof QUEUE_WAIT + 3];

    while (++s->scan.step < STEPS) {
        folder_name(name, s->scan.step);
        s->scan.folder = opendir(name);
        if (s->scan.folder)
            return 1;
        if (errno == ENOENT)
            folder_make(name);
        else {
            say("scanfailed", name, errno);
            s->scan.next = s->clock.boot + RESCAN_TROUBLE;
        }
    }
    return 0;
}

static void
finish(struct send *s)
{
    struct log l;

    s->scan.step = -2;
    if (s->scan.found || s->scan.first) {
        log_start(&l, "scanned");
        log_uint(&l, "found", s->scan.found);
        log_uint(&l, "known", s->table.count);
        log_uint(&l, "ms", s->clock.boot - s->scan.begun);
        log_end(&l);
    }
    s->scan.first = 0;
    if (s->scan.next <= s->clock.boot)
        s->scan.next = s->clock.boot + (s->scan.again ? 0 : RESCAN);
}

static void
begin(struct send *s)
{
    s->scan.step = -1;
    s->scan.thorough = s->scan.again;
    s->scan.again = 0;
    s->scan.found = 0;
    s->scan.begun = s->clock.boot;
    s->scan.next = 0;
    if (!next_folder(s))
        finish(s);
}

void
scan_ask(struct send *s)
{
    s->scan.again = 1;
    if (s->scan.step == -2)
        s->scan.next = s->clock.boot;
}

int
scan_run(struct send *s)
{
    struct dirent *d;

    if (s->scan.step == -2) {
        if (s->clock.boot < s->scan.next)
            return 0;
        begin(s);
    }
    for (unsigned int i = 0; i < SLICE && s->scan.folder; i++) {
        errno = 0;
        d = readdir(s->scan.folder);
        if (!d) {
            if (errno) { /* an error hides messages: say so, and look again */
                say("scanfailed", "queue", errno);
                s->scan.next = s->clock.boot + RESCAN_TROUBLE;
            }
            closedir(s->scan.folder);
            s->scan.folder = 0;
            if (!next_folder(s))
                finish(s);
        } else if (id_valid(d->d_name, strlen(d->d_name))) {
            if (!s->scan.step)
                found_new(s, d->d_name);
            else
                found_waiting(s, d->d_name);
        }
    }
    return s->scan.step != -2;
}

/* ---- hints ---- */

/* Of a waiting message it means: now; of one that was read already, that it is another one now. */
static void
known(struct send *s, uint32_t n)
{
    struct entry *e = s->table.entries + n;

    if (e->place == TABLE_ACTIVE)
        message_asked(s, n);
    else if (e->place == TABLE_PARKED) {
        e->flags |= ENTRY_NOW;
        s->asked = s->clock.boot;
        park_want(s, n);
    } else if (e->place == TABLE_WAIT) {
        e->flags |= ENTRY_NOW;
        s->asked = s->clock.boot;
        message_later(s, n, 0);
    }
}

/* A name is only a hint: whoever wrote it, the file decides. */
static void
hint(struct send *s, char const *id)
{
    uint32_t n = table_find(&s->table, id);

    if (n != TABLE_NONE) {
        known(s, n);
        return;
    }
    n = table_add(&s->table, id);
    if (n != TABLE_NONE && s->scan.first) /* it may be older than this process: the fifo keeps hints */
        s->table.entries[n].flags |= ENTRY_AGAIN;
    if (n == TABLE_NONE || !table_put(&s->table, n, TABLE_FRESH, s->arrivals++)) {
        if (n != TABLE_NONE)
            table_remove(&s->table, n);
        no_memory(s);
    }
}

void
scan_flush(struct send *s)
{
    uint32_t now = (uint32_t)(s->clock.boot / 1000);

    s->asked = s->clock.boot;
    dest_revive(s, 0);
    for (uint32_t i = 0; i < s->table.used; i++)
        if (s->table.entries[i].place == TABLE_WAIT) {
            s->table.entries[i].flags |= ENTRY_NOW;
            if (s->table.entries[i].key > now)
                (void)table_put(&s->table, i, TABLE_WAIT, now);
        }
}

void
scan_hints(struct send *s)
{
    char word[TRIGGER_WORD];

    for (unsigned int i = 0; i < SLICE; i++)
        switch (trigger_next(&s->trigger, word)) {
        case TRIGGER_NEW:
            hint(s, word);
            break;
        case TRIGGER_DOMAIN:
            flush_ask(s, word);
            break;
        case TRIGGER_ALL:
            scan_flush(s);
            break;
        case TRIGGER_SCAN:
            scan_ask(s);
            break;
        default:
            return;
        }
}
