#include "queue/move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/durable.h"
#include "queue/layout.h"
#include "queue/walk.h"

void
move_folder(char folder[static sizeof "queue/wait/XX"], enum item_state state, char const *id)
{
    if (state == ITEM_WAIT)
        (void)snprintf(folder, sizeof "queue/wait/XX", QUEUE_WAIT "/%.2s", id + ID_LEN - 2);
    else
        (void)walk_folder(folder, state == ITEM_NEW ? 0 : state == ITEM_HOLD ? 257 : 258);
}

/* 1 if the path leads to that file, 0 if it does not, -1 with errno: then nobody knows. */
static int
same(struct stat const *st, char const *path)
{
    struct stat named;

    if (lstat(path, &named) == -1)
        return errno == ENOENT ? 0 : -1;
    return named.st_ino == st->st_ino && named.st_dev == st->st_dev;
}

static void
rename_item(struct item *i, enum item_state state, char const *folder)
{
    (void)snprintf(i->path, sizeof i->path, "%s/%s", folder, i->id);
    i->state = state;
}

void
move_forgetwhy(char const *path)
{
    char why[ITEM_PATH + 4];

    (void)snprintf(why, sizeof why, "%s.why", path);
    (void)unlink(why);
}

/* The same file under a second name: a crash between the two steps of a move. pneu-send's, from new/ to wait/, is brought to its end;
 * an operator was not told yes, so what he says now counts: the name that he means stays. */
static int
finish_move(struct item *i)
{
    char folder[sizeof "queue/wait/XX"], other[ITEM_PATH];

    for (int state = ITEM_NEW; state <= ITEM_HOLD && i->st.st_nlink > 1; state++) {
        move_folder(folder, (enum item_state)state, i->id);
        (void)snprintf(other, sizeof other, "%s/%s", folder, i->id);
        int is = (int)i->state == state ? 0 : same(&i->st, other);
        if (is == -1)
            return 0;
        if (!is)
            continue;
        if (i->state == ITEM_NEW && state == ITEM_WAIT) {
            if (!durable_sync(folder) || !durable_unlink(i->path))
                return 0;
            rename_item(i, ITEM_WAIT, folder);
        } else if (!durable_syncparent(i->path) || !durable_unlink(other))
            return 0;
        else if (state == ITEM_HOLD)
            move_forgetwhy(other);
    }
    return 1;
}

int
move_lock(struct item *i, int wait)
{
    int r;

    if (i->fd == -1)
        return 1; /* no file: nobody tries it */
    do
        r = flock(i->fd, LOCK_EX | (wait ? 0 : LOCK_NB));
    while (r == -1 && errno == EINTR);
    if (r == -1 || fstat(i->fd, &i->st) == -1)
        return 0;
    r = same(&i->st, i->path);
    if (r != 1)
        return r == 0 ? (errno = ENOENT, 0) : 0;
    return finish_move(i) && item_read(i, 0);
}

int
move_link(char const *from, struct stat const *st, char const *folder, char const *to)
{
    if (link(from, to) == 0)
        return 1;
    if (errno == EEXIST)
        return same(st, to) == 1 ? 1 : (errno = EEXIST, 0);
    if (errno != ENOENT || durable_mkdir(folder, 0700) == -1)
        return 0;
    return link(from, to) == 0;
}

int
move_to(struct item *i, enum item_state state)
{
    char folder[sizeof "queue/wait/XX"], to[ITEM_PATH], from[ITEM_PATH];
    enum item_state before = i->state;

    move_folder(folder, state, i->id);
    (void)snprintf(to, sizeof to, "%s/%s", folder, i->id);
    memcpy(from, i->path, sizeof from);
    if (!strcmp(from, to))
        return 1;
    if (!move_link(i->path, &i->st, folder, to) || !durable_sync(folder) || !durable_unlink(from))
        return 0;
    if (before == ITEM_HOLD || before == ITEM_BAD)
        move_forgetwhy(from);
    rename_item(i, state, folder);
    return 1;
}

size_t
move_whyline(char line[static ITEM_WHY_MAX + 1], char const *why)
{
    int n = snprintf(line, ITEM_WHY_MAX + 1, "%s\n", why);

    if (n > ITEM_WHY_MAX)
        n = ITEM_WHY_MAX;
    for (int i = 0; i < n - 1; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[n - 1] = '\n';
    return (size_t)n;
}

int
move_why(char const *folder, char const *id, char const *why)
{
    char path[ITEM_PATH + 4], line[ITEM_WHY_MAX + 1];
    size_t n = move_whyline(line, why);

    (void)snprintf(path, sizeof path, "%s/%s.why", folder, id);
    return durable_write(path, line, n, 0600, 0);
}

/* The reason comes first: nobody finds the file without it. */
int
move_aside(struct item *i, enum item_state to, char const *why)
{
    char folder[sizeof "queue/wait/XX"], path[ITEM_PATH];
    struct stat st;

    move_folder(folder, to, i->id);
    (void)snprintf(path, sizeof path, "%s/%s", folder, i->id);
    if (lstat(path, &st) == 0 && same(&i->st, path) != 1)
        return (errno = EEXIST, 0);
    return move_why(folder, i->id, why) &&
           (i->fd == -1 || S_ISDIR(i->st.st_mode) ? durable_rename(i->path, path) : move_to(i, to));
}

int
move_remove(struct item *i)
{
    if (unlink(i->path) == -1)
        return 0;
    if (i->state == ITEM_HOLD || i->state == ITEM_BAD)
        move_forgetwhy(i->path);
    return 1;
}

int
move_due(struct item const *i)
{
    struct timespec const times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(0)}};

    return futimens(i->fd, times) == 0;
}
