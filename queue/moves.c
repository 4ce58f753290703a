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
moves_add(struct moves *m, struct item *i)
{
    struct moved *one = m->list + m->n++;

    memcpy(one->id, i->id, ID_SIZE);
    memcpy(one->from, i->path, sizeof one->from);
    one->before = i->state;
    one->st = i->st;
    one->fd = i->fd;
    one->e = 0;
    i->fd = -1;
}

void
moves_clear(struct moves *m)
{
    m->n = 0;
}

static unsigned int
hex(char c)
{
    return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The number of its folder among those of a walk. */
static unsigned int
step_of(enum item_state state, char const *id)
{
    if (state == ITEM_WAIT)
        return 1 + hex(id[ID_LEN - 2]) * 16 + hex(id[ID_LEN - 1]);
    return state == ITEM_NEW ? 0 : state == ITEM_HOLD ? 257 : 258;
}

/* The folder of that state is synced, once in this step. */
static void
sync_for(struct synced *s, struct moved *one, enum item_state state)
{
    char folder[sizeof "queue/wait/XX"];
    int *of = s->of + step_of(state, one->id);

    move_folder(folder, state, one->id);
    if (!*of)
        *of = durable_sync(folder) ? 1 : 1 + errno;
    one->e = *of - 1;
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
            sync_for(&synced, m->list + i, to);
}

/* ---- the moves ---- */

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
unlink_one(struct moved *one)
{
    if (unlink(one->from) == -1)
        one->e = errno;
}

void
moves_finish(struct moves *m, enum item_state to, char const *why)
{
    struct synced targets = {{0}}, sources = {{0}};

    if (m->n && why)
        give_reasons(m, to, why);
    for (unsigned int i = 0; i < m->n; i++)
        if (!m->list[i].e)
            link_one(m->list + i, to);
    for (unsigned int i = 0; i < m->n; i++)
        if (!m->list[i].e)
            sync_for(&targets, m->list + i, to);
    for (unsigned int i = 0; i < m->n; i++)
        if (!m->list[i].e)
            unlink_one(m->list + i);
    for (unsigned int i = 0; i < m->n; i++) {
        struct moved *one = m->list + i;
        if (!one->e)
            sync_for(&sources, one, one->before);
        if (!one->e && one->before >= ITEM_HOLD)
            move_forgetwhy(one->from);
        close(one->fd);
    }
}
