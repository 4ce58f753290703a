/* What pneu-queued, pneu-queue, pneu-filterd's reader and pneu-list cannot do once they are confined, and what they still can.
 * Each act in a child of its own. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "lib/confine.h"
#include "queue/filterd.h"
#include "queue/inqueue.h"
#include "queue/list.h"
#include "queue/queued.h"
#include "tests/tap.h"

enum { QUEUED = 1, QUEUE = 2, FILTERD = 4, LIST = 8 };

static struct {
    char const *name;
    int (*confine)(void);
    unsigned int bit;
} const programs[] = {
    {"pneu-queued", queued_confine, QUEUED},
    {"pneu-queue", inqueue_confine, QUEUE},
    {"pneu-filterd", filterd_confine, FILTERD},
    {"pneu-list", list_confine, LIST},
};

static int dir; /* queue/new, open before */

static int
passwd(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}

static int
passwd_around(void)
{
    return open("queue/new/../../../../etc/passwd", O_RDONLY) != -1;
}

static int
setting(void)
{
    return open("control/me", O_RDONLY) != -1;
}

static int
write_setting(void)
{
    return open("control/me", O_WRONLY) != -1;
}

static int
read_message(void)
{
    return open("queue/new/message", O_RDONLY) != -1;
}

static int
make_message(void)
{
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY, 0600);

    return fd != -1 && pwrite(fd, "x", 1, 0) == 1 && fsync(fd) == 0 && linkat(fd, "", dir, "x", AT_EMPTY_PATH) == 0 &&
           fsync(dir) == 0;
}

static int
make_outside(void)
{
    return open("alias/.qmail-root", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
link_outside(void)
{
    return link("queue/new/message", "alias/message") == 0;
}

static int
unlink_held(void)
{
    return unlink("queue/hold/message") == 0;
}

static int
disk(void)
{
    struct statfs st;

    return statfs("queue", &st) == 0;
}

static int
inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) != -1;
}

static int
inet6(void)
{
    return socket(AF_INET6, SOCK_DGRAM, 0) != -1;
}

static int
unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}

static int
run(void)
{
    return !execl("/bin/sh", "sh", "-c", "exit 0", (char *)0) || errno == ENOENT;
}

static int
split(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid != -1;
}

static int
kill_parent(void)
{
    return kill(getppid(), 0) == 0;
}

static int
trace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0;
}

static int
do_mount(void)
{
    return mount("none", "control", "tmpfs", 0, 0) == 0;
}

static int
do_chmod(void)
{
    return chmod("queue/new/message", 0777) == 0;
}

static int
do_setuid(void)
{
    return setuid(0) == 0 && setuid(12345) == 0;
}

static int
do_chroot(void)
{
    return chroot("control") == 0;
}

static int
do_symlink(void)
{
    return symlink("/etc/passwd", "queue/new/y") == 0;
}

static int
talk(void)
{
    int p[2];
    char c;

    return pipe(p) == 0 && write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1;
}

static int
memory(void)
{
    char *p = malloc(50000000);

    if (!p)
        return 0;
    p[49999999] = 1;
    int good = p[49999999];
    free(p);
    return good;
}

static struct {
    char const *name;
    int (*act)(void);
    unsigned int may; /* programs that may */
} const acts[] = {
    {"read /etc/passwd", passwd, 0},
    {"read it by way of queue/new/..", passwd_around, 0},
    {"read a setting", setting, QUEUED},
    {"write a setting", write_setting, 0},
    {"read a message", read_message, QUEUED | LIST},
    {"queue a message", make_message, QUEUED},
    {"make a file outside of the queue", make_outside, 0},
    {"link a message out of the queue", link_outside, 0},
    {"remove a held message", unlink_held, 0},
    {"ask for the disk's space", disk, QUEUED | FILTERD | LIST},
    {"a TCP socket", inet, 0},
    {"a UDP socket", inet6, 0},
    {"a Unix socket", unix_socket, 0},
    {"run /bin/sh", run, 0},
    {"fork", split, QUEUED},
    {"signal its parent", kill_parent, 0},
    {"trace its parent", trace, 0},
    {"mount", do_mount, 0},
    {"chmod", do_chmod, 0},
    {"setuid", do_setuid, 0},
    {"chroot", do_chroot, 0},
    {"symlink", do_symlink, 0},
    {"a pipe", talk, QUEUED},
    {"50 MB of memory", memory, QUEUED | QUEUE | FILTERD | LIST},
};

static int
succeeds(int (*confine_it)(void), int (*act)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(confine_it() ? act() ? 1 : 0 : 2);
    if (pid == -1 || waitpid(pid, &status, 0) == -1)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void
make(char const *path)
{
    if (!openwritenclose_unsafe(path, "x\n", 2))
        perror(path);
}

int
main(void)
{
    static char home[] = "/tmp/sandbox-queue.XXXXXX";
    static char const *const folders[] = {"control", "queue", "queue/new", "queue/hold", "queue/lock", "alias"};

    if (!confine_works()) {
        puts("1..0 # SKIP this build, or this kernel, confines nothing");
        return 0;
    }
    if (!mkdtemp(home) || chdir(home) == -1)
        return 111;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0755);
    make("control/me");
    make("queue/new/message");
    make("queue/hold/message");
    dir = open("queue/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t p = 0; p < sizeof programs / sizeof *programs; p++)
        for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
            int may = (acts[i].may & programs[p].bit) != 0;
            ok(succeeds(programs[p].confine, acts[i].act) == may, "%s %s: %s", programs[p].name,
               may ? "may" : "may not", acts[i].name);
        }
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
