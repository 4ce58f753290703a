#include "queue/moves.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "lib/durable.h"
#include "queue/layout.h"
#include "queue/move.h"
#include "queue/walk.h"

#define WHY_PATH (ITEM_PATH + 5) /* of "FOLDER/.ID.why" */

/* What became of each folder's sync in this step: 0 it was not asked for, 1 done, else 1 + errno. */
struct synced {
    int of[WALK_STEPS];
};

void
moves_add(struct moves *m, struct item *i, enum moved_how how, int written)
{
    struct moved *one = m->list + m->n++;

    memcpy(one->id, i->id, ID_SIZE);
    memcpy(one->from, i->path, sizeof one->from);
    one->before = i->state;
    one->st = i->st;
    one->fd = i->fd;
    one->written = written;
    one->how = how;
    one->e = 0;
    i->fd = -1;
}

void
moves_clear(struct moves *m)
{
    m->n = 0;
}

/* The folder of that state, for wait/ that of the two digits, is synced, once in this step. */
static void
sync_for(struct synced *s, struct moved *one, enum item_state state, char const *xx)
{
    char folder[sizeof "queue/wait/XX"];
    unsigned int step = walk_step(state, xx);

    (void)walk_folder(folder, (int)step);
    if (!s->of[step])
        s->of[step] = durable_sync(folder) ? 1 : 1 + errno;
    one->e = s->of[step] - 1;
}

static void
sync_target(struct synced *s, struct moved *one, enum item_state to)
{
    sync_for(s, one, to, one->id + ID_LEN - 2);
}

static void
path_in(char path[static ITEM_PATH], enum item_state state, char const *id)
{
    char folder[sizeof "queue/wait/XX"];

    move_folder(folder, state, id);
    (void)snprintf(path, ITEM_PATH, "%s/%s", folder, id);
}

/* ---- reasons ---- */

/* One file, which gets many names. */
static int
write_reason(char const *path, char const *why)
{
    char line[ITEM_WHY_MAX + 1];
    size_t len = move_whyline(line, why);
    int fd = unlink(path) == -1 && errno != ENOENT
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int good = fd != -1 && allwrite(fd, line, len) == len && fsync(fd) == 0;
    int e = errno;

    if (fd != -1)
        close(fd);
    return (errno = e, good);
}

/* A reason without a message is of a former one. Where the message itself has its second name already, what is said there stays. */
static void
give_reason(struct moved *one, enum item_state to, char const *reason)
{
    char path[ITEM_PATH], why[WHY_PATH];
    struct stat st;
    int there;

    path_in(path, to, one->id);
    (void)snprintf(why, sizeof why, "%s.why", path);
    there = lstat(path, &st) == 0;
    if (there && (st.st_ino != one->st.st_ino || st.st_dev != one->st.st_dev))
        one->e = EEXIST;
    else if ((!there && unlink(why) == -1 && errno != ENOENT) || (link(reason, why) == -1 && errno != EEXIST))
        one->e = errno;
}

static void
give_reasons(struct moves *m, enum item_state to, char const *why)
{
    char folder[sizeof "queue/wait/XX"], reason[WHY_PATH];
    struct synced synced = {{0}};
    int e;

    move_folder(folder, to, m->list->id);
    (void)snprintf(reason, sizeof reason, "%s/.%s.why", folder, m->list->id);
    e = write_reason(reason, why) ? 0 : errno;
    for (unsigned int i = 0; i < m->n; i++)
        if (!(m->list[i].e = e))
            give_reason(m->list + i, to, reason);
    (void)unlink(reason);
    for (unsigned int i = 0; i < m->n; i++)
        if (!m->list[i].e)
            sync_target(&synced, m->list + i, to);
}

/* ---- what was written ---- */

/* The contents of all are on the disk before the first is synced, so that the file system's journal, for which a sync waits, is
 * written once for all of them. Whether that was so, only fsync says. */
static void
sync_files(struct moves *m)
{
    for (unsigned int i = 0; i < m->n; i++)
        if (m->list[i].written != -1)
            (void)sync_file_range(m->list[i].written, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (unsigned int i = 0; i < m->n; i++)
        if (m->list[i].written != -1)
            (void)sync_file_range(m->list[i].written, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER);
    for (unsigned int i = 0; i < m->n; i++)
        if (m->list[i].written != -1 && fsync(m->list[i].written) == -1)
            m->list[i].e = errno;
}

/* ---- the moves ---- */

static int
goes(struct moved const *one)
{
    return !one->e && one->how == MOVED_ELSEWHERE;
}

static void
link_one(struct moved *one, enum item_state to)
{
    char folder[sizeof "queue/wait/XX"], path[ITEM_PATH];

    move_folder(folder, to, one->id);
    path_in(path, to, one->id);
    if (!move_link(one->from, &one->st, folder, path))
        one->e = errno;
}

static void
replace_one(struct moved *one)
{
    if (!one->e && !move_replace(one->from))
        one->e = errno;
    if (one->e)
        move_unwrite(one->from);
}

static void
unlink_one(struct moved *one)
{
    if (unlink(one->from) == -1)
        one->e = errno;
}

static void
unlock(struct moved *one)
{
    if (goes(one) && one->before >= ITEM_HOLD)
        move_forgetwhy(one->from);
    if (one->written != -1)
        close(one->written);
    close(one->fd);
}

void
moves_finish(struct moves *m, enum item_state to, char const *why)
{
    struct synced targets = {{0}}, sources = {{0}};

    sync_files(m);
    if (m->n && why)
        give_reasons(m, to, why);
    for (unsigned int i = 0; i < m->n; i++)
        if (m->list[i].how == MOVED_REPLACED)
            replace_one(m->list + i);
        else if (goes(m->list + i))
            link_one(m->list + i, to);
    for (unsigned int i = 0; i < m->n; i++)
        if (goes(m->list + i))
            sync_target(&targets, m->list + i, to);
    for (unsigned int i = 0; i < m->n; i++)
        if (goes(m->list + i))
            unlink_one(m->list + i);
    for (unsigned int i = 0; i < m->n; i++)
        if (!m->list[i].e && m->list[i].how != MOVED_STAYS)
            sync_for(&sources, m->list + i, m->list[i].before, m->list[i].from + sizeof QUEUE_WAIT);
    for (unsigned int i = 0; i < m->n; i++)
        unlock(m->list + i);
}
