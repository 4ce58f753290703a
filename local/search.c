#include "local/search.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/bytestr.h>

int
search_foreign(uint32_t owner, uint32_t group, unsigned int mode, uint32_t uid, uint32_t gid)
{
    /* A group that is the user's own is nobody else. */
    return (owner && owner != uid) || mode & S_IWOTH || (mode & S_IWGRP && group && group != gid);
}

static int
is_foreign(struct delivery const *d, struct stat const *st)
{
    return search_foreign(st->st_uid, st->st_gid, st->st_mode, d->uid, d->gid);
}

int
search_home(struct delivery *d, int show, struct outcome *o)
{
    struct stat st;

    d->homefd = open(d->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->homefd == -1 && errno == EACCES) /* x without r is enough */
        d->homefd = open(d->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (d->homefd == -1 || fstat(d->homefd, &st) == -1)
        return outcome_set(o, 'Z', "4.3.0", "Unable to open home directory", 0, errno);
    if (is_foreign(d, &st))
        return outcome_set(o, 'Z', "4.7.0", "Home directory is writable by others", 0, 0);
    if (st.st_mode & S_ISVTX && !show)
        return outcome_set(o, 'Z', "4.2.1",
                           "Home directory is sticky: user is editing his "
                           ".qmail file",
                           0, 0);
    return 1;
}

/* ".qmail", dash, part of the extension in lower case with ':' for '.', end.
 * Returns 1; 0 if there can be no such file, it would lie in another folder; -1
 * with ENOMEM. */
static int
make_name(stralloc *name, struct delivery const *d, size_t len, char const *end)
{
    if (!stralloc_copys(name, ".qmail") || !stralloc_cats(name, d->dash))
        return -1;
    size_t begin = name->len;
    if (!stralloc_catb(name, d->ext, len))
        return -1;
    for (size_t i = begin; i < name->len; i++) {
        if (name->s[i] == '/')
            return 0;
        if (name->s[i] == '.')
            name->s[i] = ':';
        else if (name->s[i] >= 'A' && name->s[i] <= 'Z')
            name->s[i] = (char)(name->s[i] + 32);
    }
    return stralloc_cats(name, end) && stralloc_0(name) ? 1 : -1;
}

/* 1 if errno says that there is no such file, not that we cannot know. */
static int
is_absent(void)
{
    return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
}

static int
refuse_file(struct outcome *o, int fd, char const *why, char const *name, int e)
{
    if (fd != -1)
        close(fd);
    outcome_set(o, 'Z', "4.7.0", why, name, e);
    return -1;
}

/* Everything is asked of the descriptor, so there is nothing to race with. A
 * symbolic link is followed, as qmail does: only the user can have made it, and
 * the owner and mode of what it leads to count. */
static int
open_file(struct delivery const *d, char const *name, struct dotfile *f, struct outcome *o)
{
    struct stat st;
    int fd = openat(d->homefd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd == -1)
        return is_absent() ? 0 : refuse_file(o, fd, "Unable to open", name, errno);
    if (fstat(fd, &st) == -1)
        return refuse_file(o, fd, "Unable to open", name, errno);
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return 0;
    }
    if (is_foreign(d, &st))
        return refuse_file(o, fd, "Writable by others", name, 0);
    f->fd = fd;
    f->forwardonly = !!(st.st_mode & S_IXUSR);
    return 1;
}

/* One candidate. Returns 1, 0, or -1: the outcome says why. */
static int
try_file(struct delivery const *d, size_t len, char const *end, struct dotfile *f, struct outcome *o)
{
    stralloc name = STRALLOC_ZERO;
    int got = make_name(&name, d, len, end);

    if (got == -1)
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    if (got == 1)
        got = open_file(d, name.s, f, o);
    stralloc_free(&name);
    return got;
}

int
search_file(struct delivery *d, struct dotfile *f, struct outcome *o)
{
    size_t len = strlen(d->ext);
    int got;

    f->fd = -1;
    f->forwardonly = 0;
    d->suffix = 0;
    got = try_file(d, len, "", f, o);
    if (got == 1 && len >= 7 && !case_diffb(d->ext + len - 7, 7, "default"))
        d->suffix = d->ext + len - 7;
    for (size_t i = len + 1; got == 0 && *d->dash && i--;)
        if (!i || d->ext[i - 1] == '-') {
            got = try_file(d, i, "default", f, o);
            if (got == 1)
                d->suffix = d->ext + i;
        }
    if (got == 0 && *d->dash)
        return outcome_set(o, 'D', "5.1.1", "Sorry, no mailbox here by that name", 0, 0);
    return got != -1;
}

/* Is there a .qmail-EXT-owner? Returns 1, 0, or -1: the outcome says why. */
static int
has_owner(struct delivery const *d, char const *end, struct outcome *o)
{
    stralloc name = STRALLOC_ZERO;
    struct stat st;
    int got = make_name(&name, d, strlen(d->ext), end);

    if (got == 1 && fstatat(d->homefd, name.s, &st, 0) == -1)
        got = is_absent() ? 0 : -1;
    if (got == -1)
        outcome_set(o, 'Z', "4.3.0", "Unable to look for the list's owner", 0, errno);
    stralloc_free(&name);
    return got;
}

static int
set_sender(struct delivery *d, char const *middle, char const *end)
{
    stralloc *s = &d->newsender;

    return stralloc_copys(s, d->local) && stralloc_cats(s, middle) && stralloc_cats(s, d->host) &&
           stralloc_cats(s, end) && stralloc_0(s);
}

int
search_owner(struct delivery *d, struct outcome *o)
{
    int owner = 0, all = 0, good;

    if (*d->sender && strcmp(d->sender, "#@[]") != 0) {
        owner = has_owner(d, "-owner", o);
        if (owner == 1)
            all = has_owner(d, "-owner-default", o);
        if (owner == -1 || all == -1)
            return 0;
    }
    if (all)
        good = set_sender(d, "-owner-@", "-@[]");
    else if (owner)
        good = set_sender(d, "-owner@", "");
    else
        good = stralloc_copys(&d->newsender, d->sender) && stralloc_0(&d->newsender);
    return good ? 1 : outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
}
