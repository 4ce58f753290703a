#include "control/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#include "control/command.h"
#include "control/control.h"
#include "control/users.h"
#include "control/userscdb.h"
#include "lib/durable.h"

#define IDS "users/ids"

char const *const instance_users[] = {"pneud", "pneut", "pneua", "pneuq", "pneuf", "pneur", "pneuv", "pneul", 0};

/* owner NULL: whoever makes the instance. users/ids must be there before the first folder with another. */
static struct {
    char const *path;
    mode_t mode;
    char const *owner;
} const folders[] = {
    {"control", 0755, 0},
    {"control/domain", 0755, 0},
    {"control/remote", 0755, 0},
    {"control/servers", 0755, 0},
    {"queue", 0755, 0},
    {"queue/new", 0700, "pneuq"},
    {"queue/wait", 0700, "pneuq"},
    {"queue/hold", 0700, "pneuq"},
    {"queue/bad", 0700, "pneuq"},
    {"queue/lock", 0700, "pneuq"},
    {"badmail", 0700, "pneuq"},
    {"alias", 0755, 0},
    {"mail", 0755, 0},
    {"tls", 0755, 0},
    {"service", 0755, 0},
    {"run", 0755, 0},
    {"log", 0755, 0},
};

static struct {
    char const *path, *text;
} const aliases[] = {
    {"alias/.qmail-postmaster", "./Maildir/\n"},
    {"alias/.qmail-mailer-daemon", "&postmaster\n"},
    {"alias/.qmail-root", "&postmaster\n"},
};

/* ---- the file system ---- */

int
instance_filesystem(char const *folder, char const **name)
{
    static struct {
        unsigned long type;
        char const *name;
        int worth;
    } const known[] = {
        {0xef53, "ext4", 1},      {0x58465342, "xfs", 1},  {0x9123683e, "btrfs", 1},     {0x2fc12fc1, "zfs", 1},
        {0xf2f52010, "f2fs", 1},  {0x3153464a, "jfs", 1},  {0xca451a4e, "bcachefs", 1},  {0x01021994, "tmpfs", 2},
        {0x858458f6, "ramfs", 2}, {0x6969, "nfs", 0},      {0x794c7630, "overlayfs", 0}, {0x65735546, "fuse", 0},
        {0xff534d42, "cifs", 0},  {0xfe534d42, "smb2", 0}, {0x517b, "smb", 0},           {0x01021997, "9p", 0},
        {0x00c36400, "ceph", 0},  {0x5346414f, "afs", 0},  {0x4d44, "vfat", 0},
    };
    struct statfs fs;

    *name = "unknown";
    if (statfs(folder, &fs) == -1)
        return -1;
    for (unsigned int i = 0; i < sizeof known / sizeof *known; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == known[i].type) {
            *name = known[i].name;
            return known[i].worth;
        }
    return 0;
}

/* ---- pneu's users ---- */

/* Takes uid and gid from a line of getent passwd. */
static int
passwd_ids(char *line, uint32_t *uid, uint32_t *gid)
{
    char *field[4];

    for (unsigned int i = 0; i < 4; i++) {
        char *colon = strchr(line, ':');
        if (!colon)
            return 0;
        *colon = 0;
        field[i] = line;
        line = colon + 1;
    }
    return uint320_scan(field[2], uid) && uint320_scan(field[3], gid);
}

static int
add_user(struct operation *op, char const *name)
{
    stralloc group = STRALLOC_ZERO;
    int grouped = command_getent("group", name, &group);
    char const *const argv[] = {"useradd",
                                "--system",
                                "--no-create-home",
                                "--home-dir",
                                "/nonexistent",
                                "--shell",
                                "/usr/sbin/nologin",
                                grouped == 1 ? "--gid" : "--user-group",
                                name,
                                grouped == 1 ? name : 0,
                                0};
    int code = grouped == -1 ? -1 : command_run(argv, 0);

    stralloc_free(&group);
    if (code > 0)
        errno = ECHILD;
    if (code)
        return service_failed(op, "add the user ", name);
    if (op->changed)
        op->changed("made the user", name);
    return 1;
}

static int
system_ids(struct operation *op, char const *name, uint32_t *uid, uint32_t *gid)
{
    stralloc line = STRALLOC_ZERO;
    int got = command_getent("passwd", name, &line);

    if (!got)
        got = add_user(op, name) && command_getent("passwd", name, &line) == 1;
    else if (got == -1)
        got = service_failed(op, "look up the user ", name);
    if (got && (!stralloc_0(&line) || !passwd_ids(line.s, uid, gid))) {
        errno = EPROTO;
        got = service_failed(op, "understand getent about ", name);
    }
    stralloc_free(&line);
    return got;
}

static int
write_ids(struct operation *op)
{
    char text[1024];
    size_t len = 0;
    int etc = -1, good = 1;

    if (op->root) { /* two who make an instance at once must not both call useradd */
        etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (etc == -1 || flock(etc, LOCK_EX) == -1)
            return service_failed(op, "lock ", "/etc");
    }
    for (char const *const *name = instance_users; good && *name; name++) {
        uint32_t uid = geteuid(), gid = getegid();
        good = !op->root || system_ids(op, *name, &uid, &gid);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s:%u:%u\n", *name, uid, gid);
    }
    if (etc != -1)
        close(etc);
    return good && service_file(op, IDS, text, len, 0644, 1);
}

/* ---- parts ---- */

/* The daemons of an instance of root must get in. */
static int
open_up(struct operation *op)
{
    struct stat st;

    if (stat(".", &st) == -1)
        return service_failed(op, "look at ", "the instance's folder");
    if (!op->root || (st.st_mode & 0011) == 0011)
        return 1;
    if (chmod(".", (st.st_mode | 0555) & 07777) == -1)
        return service_failed(op, "change the mode of ", "the instance's folder");
    if (op->changed)
        op->changed("changed the mode of", "the instance's folder");
    return 1;
}

static int
make_folders(struct operation *op)
{
    for (unsigned int i = 0; i < sizeof folders / sizeof *folders; i++) {
        uint32_t uid = geteuid(), gid = getegid();
        if (folders[i].owner && !users_id(folders[i].owner, &uid, &gid))
            return service_failed(op, "find in users/ids ", folders[i].owner);
        if (!service_folder(op, folders[i].path, folders[i].mode, uid, gid))
            return 0;
    }
    return 1;
}

/* One of them: pneuq's, whoever made it. Returns 1 made, 0 it was there, -1 with errno. */
static int
wait_folder(int wait, char const *name, uint32_t uid, uint32_t gid)
{
    struct stat st;
    int made;
    int fd = durable_folderat(wait, name, 0700, &made);
    int good = fd != -1 && fstat(fd, &st) == 0 &&
               ((st.st_uid == uid && st.st_gid == gid) || fchown(fd, uid, gid) == 0) &&
               ((st.st_mode & 07777) == 0700 || fchmod(fd, 0700) == 0) && (!made || fsync(fd) == 0);
    int e = errno;

    if (fd != -1)
        close(fd);
    return (errno = e, good ? made : -1);
}

/* The 256 folders of messages that wait. Their parent is synced once, behind them. */
static int
make_wait(struct operation *op)
{
    char path[] = "queue/wait/00";
    char *name = path + sizeof path - 3;
    uint32_t uid, gid;
    int any = 0, there, wait;

    if (!users_id("pneuq", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneuq");
    wait = durable_folder("queue/wait", 0700, &there);
    if (wait == -1)
        return service_failed(op, "use ", "queue/wait");
    for (unsigned int i = 0; i < 256; i++) {
        name[0] = "0123456789abcdef"[i >> 4];
        name[1] = "0123456789abcdef"[i & 15];
        int made = wait_folder(wait, name, uid, gid);
        if (made == -1) {
            int e = errno;
            close(wait);
            return (errno = e, service_failed(op, "use ", path));
        }
        any |= made;
    }
    if (any && op->changed)
        op->changed("made", "queue/wait/00 to ff");
    int done = fsync(wait) == 0 || service_failed(op, "fsync ", "queue/wait");
    int e = errno;
    close(wait);
    return (errno = e, done);
}

static int
make_trigger(struct operation *op)
{
    static char const path[] = "queue/lock/trigger";
    struct stat st;
    uint32_t uid, gid;

    if (!users_id("pneuq", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneuq");
    if (mkfifo(path, 0600) == 0) {
        if (op->changed)
            op->changed("made", path);
    } else if (errno != EEXIST) {
        return service_failed(op, "make ", path);
    }
    if (lstat(path, &st) == -1)
        return service_failed(op, "look at ", path);
    if (!S_ISFIFO(st.st_mode))
        return (errno = EEXIST, service_failed(op, "use as a fifo ", path));
    if ((st.st_uid != uid || st.st_gid != gid) && lchown(path, uid, gid) == -1)
        return service_failed(op, "change the owner of ", path);
    return durable_sync("queue/lock") ? 1 : service_failed(op, "fsync ", "queue/lock");
}

static int
is_host(char const *s, size_t len)
{
    static char const allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

    return len && len < 256 && s[0] != '.' && s[0] != '-' && strspn(s, allowed) >= len;
}

/* control/me: what `hostname -f` says, or the kernel's name for this machine. */
static int
make_me(struct operation *op)
{
    static char const *const argv[] = {"hostname", "-f", 0};
    stralloc name = STRALLOC_ZERO;
    struct utsname kernel;
    int good;

    if (access("control/me", F_OK) == 0)
        return 1;
    if (command_run(argv, &name) != 0)
        name.len = 0;
    while (name.len && name.s[name.len - 1] == '\n')
        name.len--;
    if (!stralloc_0(&name))
        return 0;
    if (!is_host(name.s, strlen(name.s)) || !strchr(name.s, '.')) {
        name.len = 0;
        char const *node =
            uname(&kernel) == 0 && is_host(kernel.nodename, strlen(kernel.nodename)) ? kernel.nodename : "localhost";
        if (!stralloc_cats(&name, node) || !stralloc_0(&name))
            return 0;
    }
    name.s[name.len - 1] = '\n';
    good = service_file(op, "control/me", name.s, name.len, 0644, 0);
    stralloc_free(&name);
    return good;
}

/* Postmaster, and in a new instance the names that mean him, have a mailbox in alias/Maildir. */
static int
make_alias(struct operation *op, int fresh)
{
    static char const *const maildir[] = {"alias/Maildir", "alias/Maildir/tmp", "alias/Maildir/new",
                                          "alias/Maildir/cur"};
    uint32_t uid, gid;

    if (!users_id("pneuv", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneuv");
    for (unsigned int i = 0; i < sizeof maildir / sizeof *maildir; i++)
        if (!service_folder(op, maildir[i], 0700, uid, gid))
            return 0;
    for (unsigned int i = 0; i < (fresh ? sizeof aliases / sizeof *aliases : 1); i++)
        if (!service_file(op, aliases[i].path, aliases[i].text, strlen(aliases[i].text), 0644, 0))
            return 0;
    return 1;
}

static int
make_users(struct operation *op)
{
    struct userscdb_count count = {0};

    return userscdb_make(&count, &op->why);
}

int
instance_make(struct operation *op, int unsafe)
{
    char const *name;
    int fresh = access("alias", F_OK) == -1;
    int worth = instance_filesystem(access("queue", F_OK) == 0 ? "queue" : ".", &name);

    if (worth == -1)
        return service_failed(op, "ask for the file system of ", "queue");
    if (!worth && !unsafe)
        return (errno = EXDEV, service_failed(op, "trust a queue to this file system: ", name));
    op->root = geteuid() == 0;
    if (!open_up(op) || !service_folder(op, "users", 0755, geteuid(), getegid()) || !write_ids(op) ||
        !service_operation(op) || !make_folders(op) || !make_wait(op) || !make_trigger(op) || !make_me(op) ||
        !make_alias(op, fresh) || !make_users(op))
        return 0;
    for (char const *const *own = service_own; *own; own++)
        if (!service_make(op, *own, *own))
            return 0;
    return !service_running() || service_scan(op, "-a");
}
