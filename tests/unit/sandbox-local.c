/* What pneu-local and the talking half of pneu-spawn cannot do once they are
 * confined, and what they still can. Each act in a child. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/confine.h"
#include "local/sandbox.h"
#include "send/spawn.h"
#include "tests/tap.h"

static char dir[] = "/tmp/pneu-sandbox-XXXXXX";
static int listener;

enum { LOCAL = 1, SPAWN_L = 2, SPAWN_R = 4 };

static int
confine_local(void)
{
    return local_confine("home");
}

static int
confine_l(void)
{
    return spawn_confine(1);
}

static int
confine_r(void)
{
    return spawn_confine(0);
}

static struct {
    char const *name;
    int (*confine)(void);
    unsigned int bit;
} const programs[] = {
    {"pneu-local", confine_local, LOCAL}, {"pneu-spawn -L", confine_l, SPAWN_L}, {"pneu-spawn -R", confine_r, SPAWN_R}};

static int
read_passwd(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}

static int
read_around(void)
{
    return open("home/../other/file", O_RDONLY) != -1;
}

static int
read_by_link(void)
{
    return open("home/link", O_RDONLY) != -1;
}

static int
read_home(void)
{
    return open("home/file", O_RDONLY) != -1;
}

static int
read_users(void)
{
    return open("users/cdb", O_RDONLY) != -1;
}

static int
read_control(void)
{
    return open("control/me", O_RDONLY) != -1;
}

static int
write_control(void)
{
    return open("control/me", O_WRONLY) != -1;
}

static int
write_users(void)
{
    return open("users/cdb", O_WRONLY) != -1;
}

static int
write_home(void)
{
    return open("home/new", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
write_other(void)
{
    return open("other/new", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
deliver(void)
{
    int fd = open("home", O_TMPFILE | O_WRONLY, 0600);

    return fd != -1 && fsync(fd) == 0 && linkat(fd, "", AT_FDCWD, "other/file2", AT_EMPTY_PATH) == -1;
}

static int
link_out(void)
{
    return link("home/file", "other/linked") == 0;
}

static int
copy_file(void)
{
    return open("queue/lock", O_TMPFILE | O_RDWR, 0600) != -1;
}

static int
remove_home(void)
{
    return unlink("home/file") == 0;
}

static int
change_mode(void)
{
    return chmod("home/file", 0777) == 0;
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
accept_one(void)
{
    return accept4(listener, 0, 0, SOCK_CLOEXEC) == -1 && errno == EAGAIN;
}

static int
shell(void)
{
    return !execl("/bin/sh", "sh", "-c", "exit 0", (char *)0);
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
trace_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0;
}

static int
mount_proc(void)
{
    return mount("none", "home", "tmpfs", 0, 0) == 0;
}

static int
become_root(void)
{
    return setuid(0) == 0;
}

static int
new_code(void)
{
    return mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int
memory_file(void)
{
    return memfd_create("x", MFD_ALLOW_SEALING) != -1;
}

static int
lock_file(void)
{
    return flock(listener, LOCK_EX | LOCK_NB) == 0 || errno != EPERM;
}

static struct {
    char const *name;
    int (*act)(void);
    unsigned int may;
} const acts[] = {
    {"open /etc/passwd", read_passwd, 0},
    {"open a file outside by ..", read_around, 0},
    {"open one by a link", read_by_link, 0},
    {"read the home", read_home, LOCAL},
    {"read the users' table", read_users, SPAWN_L},
    {"read settings", read_control, SPAWN_L | SPAWN_R},
    {"write settings", write_control, 0},
    {"write the users' table", write_users, 0},
    {"write in the home", write_home, LOCAL},
    {"write elsewhere", write_other, 0},
    {"a file without a name in the home", deliver, LOCAL},
    {"link a file out of the home", link_out, 0},
    {"a copy in queue/lock", copy_file, SPAWN_L},
    {"remove from the home", remove_home, LOCAL},
    {"change modes", change_mode, 0},
    {"an internet socket", inet, 0},
    {"an internet socket, 6", inet6, 0},
    {"a Unix socket", unix_socket, LOCAL},
    {"take a connection", accept_one, SPAWN_L | SPAWN_R},
    {"run a shell", shell, 0},
    {"fork", split, 0},
    {"signal the parent", kill_parent, 0},
    {"trace the parent", trace_parent, 0},
    {"mount", mount_proc, 0},
    {"become root", become_root, 0},
    {"make code", new_code, 0},
    {"memory as a file", memory_file, LOCAL | SPAWN_L | SPAWN_R},
    {"lock", lock_file, LOCAL},
};

static void
make(char const *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    if (fd == -1)
        _exit(111);
    close(fd);
}

static void
setup(void)
{
    static char const *const folders[] = {"home", "other", "users", "control", "queue", "queue/lock"};

    if (!mkdtemp(dir) || chdir(dir) == -1)
        _exit(111);
    for (unsigned int i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0700) == -1)
            _exit(111);
    make("home/file");
    make("other/file");
    make("users/cdb");
    make("control/me");
    if (symlink("../other/file", "home/link") == -1)
        _exit(111);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener == -1 || bind(listener, (struct sockaddr *)&name, sizeof name) == -1 || listen(listener, 1) == -1)
        _exit(111);
}

/* Does the act succeed in a process so confined? */
static int
tried(int (*confine_it)(void), int (*act)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(confine_it() ? act() ? 0 : 1 : 2);
    if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status) == 2 ? -1 : !WEXITSTATUS(status);
}

int
main(void)
{
    setup();
    if (!confine_works()) {
        printf("1..0 # SKIP this build or kernel does not confine\n");
        return 0;
    }
    for (unsigned int p = 0; p < sizeof programs / sizeof *programs; p++)
        for (unsigned int i = 0; i < sizeof acts / sizeof *acts; i++) {
            int may = !!(acts[i].may & programs[p].bit);
            make("home/file");
            ok(tried(programs[p].confine, acts[i].act) == may, "%s %s: %s", programs[p].name, may ? "may" : "may not",
               acts[i].name);
        }
    int bad = tap_done();
    if (fork() == 0) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)0);
        _exit(111);
    }
    return bad;
}
