#include "operator/fsck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/durable.h"
#include "lib/log.h"
#include "queue/layout.h"
#include "queue/move.h"
#include "queue/walk.h"

/* ---- telling ---- */

enum outcome { NOTED, WRONG, MENDED, FAILED };

/* "FOLDER/NAME: WHAT[: DONE]". What cannot be said for want of memory is done all the same. */
static void
tell(struct fsck *f, char const *folder, char const *name, char const *what, enum outcome outcome, char const *done)
{
    if (f->dry && outcome == MENDED)
        outcome = WRONG;
    f->wrong += outcome != NOTED;
    f->mended += outcome == MENDED;
    f->left += outcome == WRONG || outcome == FAILED;
    if (outcome == FAILED)
        done = strerror(errno);
    if (outcome == WRONG)
        done = 0;
    (void)(stralloc_cats(&f->out, folder) && stralloc_cats(&f->out, *name ? "/" : "") &&
           log_escape(&f->out, name, strlen(name), 0) && stralloc_cats(&f->out, ": ") && stralloc_cats(&f->out, what) &&
           (!done || (stralloc_cats(&f->out, ": ") && stralloc_cats(&f->out, done))) && stralloc_cats(&f->out, "\n"));
    f->flush(f);
}

/* Says how a repair went; in a dry run it was none. */
static void
tell_repair(struct fsck *f, char const *folder, char const *name, char const *what, int good, char const *done)
{
    tell(f, folder, name, what, good || f->dry ? MENDED : FAILED, done);
}

static int
is_older(struct fsck const *f, struct stat const *st, uint64_t seconds)
{
    return (uint64_t)st->st_ctime + seconds < f->now;
}

/* ---- one message ---- */

static int
lock(struct fsck *f, struct item *i, char const *folder)
{
    if (f->dry || move_lock(i, 0))
        return 1;
    if (errno == EWOULDBLOCK)
        tell(f, folder, i->id, "is being tried", NOTED, "left alone");
    else if (errno != ENOENT)
        tell(f, folder, i->id, "cannot be locked", FAILED, 0);
    return 0;
}

static void
aside(struct fsck *f, struct item *i, char const *folder, enum item_state to, char const *why)
{
    if (lock(f, i, folder))
        tell_repair(f, folder, i->id, why, !f->dry && move_aside(i, to, why),
                    to == ITEM_BAD ? "set aside, in queue/bad" : "set aside, in queue/hold");
}

static void
check_damaged(struct fsck *f, struct item *i, char const *folder)
{
    if (i->state == ITEM_BAD && *i->beside)
        return;
    if (i->state == ITEM_BAD)
        tell(f, folder, i->id, i->why, NOTED, "nobody said so");
    else if (!is_older(f, &i->st, f->copytime))
        tell(f, folder, i->id, i->why, NOTED, "so young that it may be being copied here");
    else if (!S_ISREG(i->st.st_mode) && !S_ISDIR(i->st.st_mode)) /* our confinement moves none of these */
        tell(f, folder, i->id, "it is no file; pneu-remove takes it away", WRONG, 0);
    else
        aside(f, i, folder, ITEM_BAD, i->why);
}

static void
check_mode(struct fsck *f, struct item *i, char const *folder)
{
    if (i->st.st_uid != geteuid() && !f->dry)
        tell(f, folder, i->id, "belongs to somebody else; let root run pneu-fsck", WRONG, 0);
    else if ((i->st.st_mode & 07777) != 0600)
        tell_repair(f, folder, i->id, "others may read or change it", f->dry || fchmod(i->fd, 0600) == 0, "no more");
}

/* A byte that is none of the known ones counts as to do. */
static void
check_status(struct fsck *f, struct item *i, char const *folder)
{
    static char const known[] = {STATUS_TODO, STATUS_DONE, STATUS_SUCCEEDED, STATUS_FAILED, STATUS_BOUNCED};
    char text[64];
    uint32_t odd = 0;

    for (uint32_t n = 0; n < i->file.header.recipients; n++)
        odd += !memchr(known, i->file.status[n], sizeof known);
    (void)snprintf(text, sizeof text, "%u recipients of unknown status", (unsigned int)odd);
    if (odd)
        tell(f, folder, i->id, text, NOTED, "they are tried");
}

static void
check_log(struct fsck *f, struct item *i, char const *folder)
{
    struct bytes log = {i->log.s, i->log.len};
    struct file_event e;
    uint64_t lines = 0, good = 0;
    char text[64];

    for (size_t n = 0; n < i->log.len; n++)
        lines += i->log.s[n] == '\n' || n + 1 == i->log.len;
    while (file_event_next(&log, &e))
        good++;
    (void)snprintf(text, sizeof text, "%llu damaged lines in its log", (unsigned long long)(lines - good));
    if (lines > good)
        tell(f, folder, i->id, text, NOTED, "they count for nothing");
}

static void
names_one(struct fsck *f, struct item *i, char const *folder)
{
    if (lock(f, i, folder))
        tell_repair(f, folder, i->id, "has two names", 1, "has one");
}

/* The same name elsewhere: one file, or two. */
static void
check_names(struct fsck *f, struct item *i, char const *folder)
{
    for (int s = ITEM_NEW; s <= ITEM_HOLD; s++) {
        char other[sizeof "queue/wait/XX"], path[ITEM_PATH];
        struct stat st;
        move_folder(other, (enum item_state)s, i->id);
        (void)snprintf(path, sizeof path, "%s/%s", other, i->id);
        if (!strcmp(other, folder) || lstat(path, &st) == -1)
            continue;
        int same = st.st_ino == i->st.st_ino && st.st_dev == i->st.st_dev;
        if (same &&
            i->state < (enum item_state)s) /* once for both; held or not: what was not finished did not take place */
            names_one(f, i, folder);
        else if (!same && i->state == ITEM_NEW && s == ITEM_WAIT)
            aside(f, i, folder, ITEM_HOLD, "another file of this name waits in the queue");
        else if (!same && s == ITEM_HOLD)
            tell(f, folder, i->id, "another file of this name is held", WRONG, 0);
    }
}

static void
check_place(struct fsck *f, struct item *i, char const *folder)
{
    char right[sizeof "queue/wait/XX"];

    move_folder(right, i->state, i->id);
    if (i->state != ITEM_WAIT || !strncmp(i->path, right, strlen(right)) || !lock(f, i, folder))
        return;
    int good = f->dry || move_to(i, ITEM_WAIT);
    if (!good && errno == EEXIST)
        aside(f, i, folder, ITEM_HOLD, "another file of this name waits in the queue");
    else
        tell_repair(f, folder, i->id, "lies in a wrong folder of wait/", good, "moved to its own");
}

static void
check_message(struct fsck *f, char const *folder, enum item_state state, char const *id)
{
    struct item i = ITEM_ZERO;
    int got = item_open(&i, folder, state, id, 1);

    f->messages += got == 1;
    progress_step(&f->progress, f->messages, "messages");
    if (got == -1)
        tell(f, folder, id, "cannot be read", FAILED, 0);
    else if (got == 1 && i.why)
        check_damaged(f, &i, folder);
    else if (got == 1) {
        check_mode(f, &i, folder);
        check_status(f, &i, folder);
        check_log(f, &i, folder);
        if (state == ITEM_BAD)
            tell(f, folder, id, "is whole", NOTED, "pneu-release -q bad would let it go on");
        else
            check_names(f, &i, folder);
        check_place(f, &i, folder);
    }
    item_free(&i);
}

/* ---- other names ---- */

static void
check_debris(struct fsck *f, char const *folder, char const *name, char const *what)
{
    char path[ITEM_PATH + 256];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && is_older(f, &st, FSCK_DEBRIS))
        tell_repair(f, folder, name, what, f->dry || unlink(path) == 0, "removed");
}

static void
check_name(struct fsck *f, char const *folder, enum item_state state, char const *name)
{
    size_t len = strlen(name);
    char path[ITEM_PATH];
    struct stat st;

    if (*name == '.') {
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            check_debris(f, folder, name, "was never finished");
        return;
    }
    if (id_valid(name, len)) {
        check_message(f, folder, state, name);
        return;
    }
    if (len == ID_LEN + 4 && id_valid(name, ID_LEN) && !strcmp(name + ID_LEN, ".why") && state >= ITEM_HOLD) {
        (void)snprintf(path, sizeof path, "%s/%.*s", folder, ID_LEN, name);
        if (lstat(path, &st) == -1 && errno == ENOENT)
            check_debris(f, folder, name, "is the reason of a message that is gone");
        return;
    }
    tell(f, folder, name, "is no ID", NOTED, "left alone");
}

/* ---- folders ---- */

static void
check_folder_mode(struct fsck *f, DIR *d, char const *folder)
{
    struct stat st;

    if (fstat(dirfd(d), &st) == 0 && st.st_mode & 077)
        tell_repair(f, folder, "", "others may look into it", f->dry || fchmod(dirfd(d), 0700) == 0, "no more");
}

static void
check_folder(struct fsck *f, int step)
{
    char folder[sizeof QUEUE_WAIT + 3];
    enum item_state state = walk_folder(folder, step);
    DIR *d = opendir(folder);
    struct dirent *e;

    if (!d && errno == ENOENT) {
        tell_repair(f, folder, "", "is not there", f->dry || durable_mkdir(folder, 0700) != -1, "made");
        return;
    }
    if (!d) {
        tell(f, folder, "", "cannot be read", FAILED, 0);
        return;
    }
    check_folder_mode(f, d, folder);
    while (errno = 0, (e = readdir(d)))
        check_name(f, folder, state, e->d_name);
    if (errno)
        tell(f, folder, "", "cannot be read to its end", FAILED, 0);
    closedir(d);
}

void
fsck_queue(struct fsck *f)
{
    struct stat st;

    for (int step = 0; step < WALK_STEPS; step++)
        check_folder(f, step);
    if (lstat(QUEUE_TRIGGER, &st) == -1 || !S_ISFIFO(st.st_mode))
        tell(f, QUEUE_TRIGGER, "", "is no fifo; pneu-instance makes it", WRONG, 0);
}

/* ---- owners ---- */

/* pneuq may have put any name here: no link is followed, and a file that has another name may be anybody's. */
static void
own(struct fsck *f, int dir, char const *folder, char const *name, uid_t uid, gid_t gid)
{
    struct stat st;
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd == -1)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != uid) {
        if (st.st_nlink != 1)
            tell(f, folder, name, "belongs to somebody else, and has another name", WRONG, 0);
        else
            tell_repair(f, folder, name, "belongs to somebody else",
                        f->dry || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0, "given to the queue's owner");
    }
    close(fd);
}

void
fsck_owners(struct fsck *f, uid_t uid, gid_t gid)
{
    for (int step = 0; step < WALK_STEPS; step++) {
        char folder[sizeof QUEUE_WAIT + 3];
        struct dirent *e;
        (void)walk_folder(folder, step);
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd == -1 ? 0 : fdopendir(fd);
        if (!d) {
            if (fd != -1)
                close(fd);
            continue;
        }
        while ((e = readdir(d)))
            if (id_valid(e->d_name, strlen(e->d_name)))
                own(f, fd, folder, e->d_name, uid, gid);
        closedir(d);
    }
}
