#include "control/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#include "control/command.h"
#include "control/users.h"
#include "lib/durable.h"

char const *const service_own[] = {"queued",      "filterd",      "authd", "hookd", "send",
                                   "spawn-local", "spawn-remote", "keyd",  0};

#define MARK "# Made by pneu-"
#define TIMEOUT_KILL "10000\n" /* milliseconds from SIGTERM to SIGKILL */

int
service_failed(struct operation *op, char const *what, char const *which)
{
    int e = errno;

    op->why.len = 0;
    (void)(stralloc_cats(&op->why, what) && stralloc_cats(&op->why, which) && stralloc_0(&op->why));
    errno = e;
    return 0;
}

static void
tell(struct operation const *op, char const *what, char const *which)
{
    if (op->changed)
        op->changed(what, which);
}

int
service_operation(struct operation *op)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe);
    uint32_t uid, gid;
    struct stat st;

    if (len <= 0 || (size_t)len == sizeof exe)
        return service_failed(op, "read ", "/proc/self/exe");
    while (len > 1 && exe[len - 1] != '/')
        len--;
    op->bin.len = 0;
    if (!stralloc_catb(&op->bin, exe, (size_t)len - 1) || !stralloc_0(&op->bin))
        return service_failed(op, "remember ", "the folder of the programs");
    if (!users_id("pneuq", &uid, &gid) || stat("users/ids", &st) == -1)
        return service_failed(op, "read ", "users/ids");
    op->root = st.st_uid == 0;
    return 1;
}

/* ---- folders and files ---- */

/* Gives an open folder to its owner, with its mode. */
static int
folder_set(struct operation *op, int fd, char const *path, int made, mode_t mode, uid_t uid, gid_t gid)
{
    struct stat st;

    if (fstat(fd, &st) == -1)
        return service_failed(op, "look at ", path);
    if (made)
        tell(op, "made", path);
    if (st.st_uid != uid || st.st_gid != gid) {
        if (fchown(fd, uid, gid) == -1)
            return service_failed(op, "change the owner of ", path);
        if (!made)
            tell(op, "changed the owner of", path);
    }
    if ((st.st_mode & 07777) != mode) {
        if (fchmod(fd, mode) == -1)
            return service_failed(op, "change the mode of ", path);
        tell(op, "changed the mode of", path);
    }
    return fsync(fd) == 0 ? 1 : service_failed(op, "fsync ", path);
}

int
service_removed(struct operation *op, char const *path)
{
    if (!durable_syncparent(path))
        return service_failed(op, "fsync behind ", path);
    tell(op, "removed", path);
    return 1;
}

int
service_folder(struct operation *op, char const *path, mode_t mode, uid_t uid, gid_t gid)
{
    int made, done;
    int fd = durable_folder(path, mode, &made);

    if (fd == -1)
        return service_failed(op, errno == ENOTDIR ? "use " : "make folder ", path);
    done = folder_set(op, fd, path, made, mode, uid, gid);
    int e = errno;
    close(fd);
    return (errno = e, done);
}

int
service_file(struct operation *op, char const *path, char const *s, size_t len, mode_t mode, int replace)
{
    stralloc old = STRALLOC_ZERO;
    int there = openslurpclose(&old, path);
    int same = there && old.len == len && (!len || !memcmp(old.s, s, len));

    if (!there && errno != ENOENT)
        return service_failed(op, "read ", path);
    if (there && !stralloc_0(&old))
        return service_failed(op, "read ", path);
    /* A script that somebody took over is his. */
    int his = there && !strncmp(old.s, "#!", 2) && !strstr(old.s, MARK);
    stralloc_free(&old);
    if (same || (there && (!replace || his)))
        return 1;
    if (!durable_write(path, s, len, mode, 0))
        return service_failed(op, "write ", path);
    tell(op, there ? "changed" : "made", path);
    return 1;
}

/* ---- templates ---- */

/* The templates lie in the source tree (build/static/bin/../../../package) or beside bin. */
static int
template_read(struct operation *op, char const *kind, stralloc *text)
{
    static char const *const places[] = {"/../share/pneu/service/", "/../../../package/service/"};
    char const *share = getenv("PNEU_SHARE");
    stralloc path = STRALLOC_ZERO;
    int got = 0;

    for (unsigned int i = 0; !got && i < 3; i++) {
        if (i == 0 && (!share || !*share))
            continue;
        path.len = 0;
        if (!stralloc_cats(&path, i ? op->bin.s : share) || !stralloc_cats(&path, i ? places[i - 1] : "/service/") ||
            !stralloc_catb(&path, kind, strlen(kind) + 1))
            break;
        text->len = 0;
        got = openslurpclose(text, path.s);
        if (!got && errno != ENOENT)
            break;
    }
    if (!got)
        (void)service_failed(op, "read the template ", path.len ? path.s : kind);
    stralloc_free(&path);
    return got;
}

static int
put_ids(struct operation *op, stralloc *to, char const *flag, char const *user, int both)
{
    char digits[UINT32_FMT];
    uint32_t uid, gid;

    if (!users_id(user, &uid, &gid))
        return service_failed(op, "find in users/ids ", user);
    if (both &&
        (!stralloc_cats(to, "-u ") || !stralloc_catb(to, digits, uint32_fmt(digits, uid)) || !stralloc_cats(to, " ")))
        return 0;
    return stralloc_cats(to, flag) && stralloc_cats(to, " ") && stralloc_catb(to, digits, uint32_fmt(digits, gid));
}

/* Appends what stands for @word@. Returns 1; 0 on failure. *empty is set where nothing was to be said. */
static int
put_word(struct operation *op, stralloc *to, char const *word, char const *name, int *empty)
{
    *empty = 0;
    if (!strcmp(word, "bin"))
        return stralloc_cats(to, op->bin.s);
    if (!strcmp(word, "name"))
        return stralloc_cats(to, name);
    char const *user = strchr(word, ' ');
    if (!user)
        return (errno = EPROTO, service_failed(op, "understand in a template ", word));
    *empty = !op->root;
    if (!op->root)
        return 1;
    if (!strncmp(word, "as ", 3))
        return stralloc_cats(to, "s6-setuidgid ") && stralloc_cats(to, user + 1);
    if (!strncmp(word, "ids ", 4))
        return put_ids(op, to, "-g", user + 1, 1);
    if (!strncmp(word, "groups ", 7))
        return put_ids(op, to, "-G", user + 1, 0);
    return (errno = EPROTO, service_failed(op, "understand in a template ", word));
}

static int
fill_in(struct operation *op, stralloc const *text, char const *name, stralloc *to)
{
    char word[64];
    int empty;

    to->len = 0;
    for (size_t i = 0; i < text->len; i++) {
        char const *end = text->s[i] == '@' ? memchr(text->s + i + 1, '@', text->len - i - 1) : 0;
        size_t len = end ? (size_t)(end - text->s) - i - 1 : 0;
        if (!end || !len || len >= sizeof word || memchr(text->s + i + 1, '\n', len)) {
            if (!stralloc_append(to, text->s[i]))
                return 0;
            continue;
        }
        memcpy(word, text->s + i + 1, len);
        word[len] = 0;
        if (!put_word(op, to, word, name, &empty))
            return 0;
        i += len + 1;
        if (empty && i + 1 < text->len && text->s[i + 1] == ' ')
            i++;
    }
    return 1;
}

static int
script(struct operation *op, char const *path, char const *kind, char const *name)
{
    stralloc text = STRALLOC_ZERO, filled = STRALLOC_ZERO;
    int good = template_read(op, kind, &text) && fill_in(op, &text, name, &filled) &&
               service_file(op, path, filled.s, filled.len, 0755, 1);

    stralloc_free(&text);
    stralloc_free(&filled);
    return good;
}

int
service_make(struct operation *op, char const *name, char const *kind)
{
    char folder[SERVICE_NAME_MAX + 32], path[SERVICE_NAME_MAX + 64];
    uint32_t uid, gid;
    uid_t me = geteuid();
    gid_t mine = getegid();

    if (strlen(name) > SERVICE_NAME_MAX)
        return (errno = ENAMETOOLONG, service_failed(op, "name a service ", name));
    if (!users_id("pneul", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneul");
    strcpy(stpcpy(path, "log/"), name);
    if (!service_folder(op, path, 0750, uid, gid))
        return 0;
    strcpy(stpcpy(folder, "service/"), name);
    /* The logger first, then the run script: s6-svscan starts nothing that is half there. */
    strcpy(stpcpy(path, folder), "/log");
    if (!service_folder(op, folder, 0755, me, mine) || !service_folder(op, path, 0755, me, mine))
        return 0;
    strcpy(stpcpy(path, folder), "/log/run");
    if (!script(op, path, "log", name))
        return 0;
    strcpy(stpcpy(path, folder), "/timeout-kill");
    if (!service_file(op, path, TIMEOUT_KILL, sizeof TIMEOUT_KILL - 1, 0644, 0))
        return 0;
    strcpy(stpcpy(path, folder), "/run");
    return script(op, path, kind, name);
}

/* ---- the running instance ---- */

static int
has_reader(char const *fifo)
{
    int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd == -1)
        return 0;
    close(fd);
    return 1;
}

int
service_running(void)
{
    return has_reader("service/.s6-svscan/control");
}

int
service_supervised(char const *name)
{
    char path[SERVICE_NAME_MAX + 64];

    if (strlen(name) > SERVICE_NAME_MAX)
        return 0;
    strcpy(stpcpy(stpcpy(path, "service/"), name), "/supervise/control");
    return has_reader(path);
}

int
service_name(char const *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    for (char const *const *own = service_own; *own; own++)
        if (!strcmp(name, *own))
            return 0;
    return len && !name[len] && len <= SERVICE_NAME_MAX && *name != '-' && strcmp(name, "svscan");
}

static int
ran(struct operation *op, char const *const *argv)
{
    int code = command_run(argv, 0);

    if (code > 0)
        errno = ECHILD;
    return code == 0 ? 1 : service_failed(op, "run ", argv[0]);
}

int
service_scan(struct operation *op, char const *flags)
{
    char const *const argv[] = {"s6-svscanctl", flags, "service", 0};

    return ran(op, argv);
}

int
service_signal(struct operation *op, char const *flags, char const *name)
{
    char path[SERVICE_NAME_MAX + 16];
    char const *const argv[] = {"s6-svc", flags, path, 0};

    if (strlen(name) > SERVICE_NAME_MAX)
        return (errno = ENAMETOOLONG, service_failed(op, "name a service ", name));
    strcpy(stpcpy(path, "service/"), name);
    return ran(op, argv);
}
