/* Each right of lib/confine.h: with it the act succeeds, without it it fails.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/confine.h"
#include "tests/tap.h"

static char dir[] = "/tmp/pneu-confine-XXXXXX";
static int lockfd;

static int
act_read(void)
{
    return open("readable/file", O_RDONLY) != -1;
}

static int
act_outside(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}

static int
act_write(void)
{
    return open("writable/made", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
act_write_readable(void)
{
    return open("readable/file", O_WRONLY) != -1;
}

static int
act_truncate_readable(void)
{
    return open("readable/file", O_RDONLY | O_TRUNC) != -1 && 0;
}

static int
act_unlink_readable(void)
{
    return unlink("readable/other") == 0;
}

static int
act_tmpfile(void)
{
    return open("writable", O_TMPFILE | O_WRONLY, 0600) != -1;
}

static int
act_unix(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return fd != -1 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0;
}

static int
act_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) != -1 && socket(AF_INET6, SOCK_DGRAM, 0) != -1;
}

static int
act_packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) != -1 || socket(AF_NETLINK, SOCK_RAW, 0) != -1;
}

static int
act_fork(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid > 0 && waitpid(pid, 0, 0) == pid;
}

static int
act_exec(void)
{
    execl("program", "program", (char *)0);
    return 0; /* a success ends this process with the program's code, 0 */
}

static int
act_exec_outside(void)
{
    execl("/bin/true", "true", (char *)0);
    return 0;
}

static int
act_pass(void)
{
    int s[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && memfd_create("x", 0) != -1;
}

static int
act_lock(void)
{
    return flock(lockfd, LOCK_SH) == 0;
}

static int
act_sync(void)
{
    return fsync(lockfd) == 0;
}

static int
act_code(void)
{
    return mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int
act_listen(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd != -1 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0;
}

static int
act_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static int
act_trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0;
}

static int
act_mount(void)
{
    return mount("none", "/mnt", "tmpfs", 0, 0) == 0;
}

static int
act_setuid(void)
{
    return setuid(getuid()) == 0;
}

static int
act_chmod(void)
{
    return chmod("readable/file", 0777) == 0;
}

static int
act_unlimit(void)
{
    struct rlimit r = {1 << 20, 1 << 20};

    return setrlimit(RLIMIT_CORE, &r) == 0;
}

static int
act_memory(void)
{
    return malloc(64u << 20) != 0;
}

/* Runs the act in a confined child. */
static int
succeeds(unsigned int may, int (*act)(void))
{
    static struct confine_path const paths[] = {{"readable", CONFINE_PATH_READ},
                                                {"writable", CONFINE_PATH_READ | CONFINE_PATH_WRITE},
                                                {"program", CONFINE_PATH_EXEC},
                                                {"missing", CONFINE_PATH_READ}};
    struct confine const c = {.may = may,
                              .paths = paths,
                              .npaths = 4,
                              .as = 16u << 20,
                              .nofile = 16,
                              .fsize = CONFINE_SAME,
                              .nproc = CONFINE_SAME};
    int status = 0;
    pid_t pid = fork();

    if (!pid) {
        if (!confine(&c))
            _exit(77);
        _exit(!act());
    }
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        printf("# confine itself failed\n");
    return status == 0;
}

static void
prepare(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("readable", 0700) == -1 || mkdir("writable", 0700) == -1)
        exit(111);
    close(open("readable/file", O_WRONLY | O_CREAT, 0600));
    close(open("readable/other", O_WRONLY | O_CREAT, 0600));
    lockfd = open("readable/file", O_RDONLY);
    if (bind(s, (struct sockaddr *)&sa, sizeof sa) == -1 || listen(s, 8) == -1)
        exit(111);
}

int
main(int argc, char **argv)
{
    static struct {
        unsigned int may;
        int (*act)(void);
        char const *what;
    } const rights[] = {
        {CONFINE_READ, act_read, "reading a file"},
        {CONFINE_WRITE, act_write, "making a file"},
        {CONFINE_WRITE, act_tmpfile, "making a file without a name"},
        {CONFINE_UNIX, act_unix, "connecting to a Unix socket"},
        {CONFINE_INET, act_inet, "making an internet socket"},
        {CONFINE_FORK, act_fork, "starting a process"},
        {CONFINE_EXEC, act_exec, "replacing itself by a named program"},
        {CONFINE_PASS, act_pass, "a socket pair and a memfd"},
        {CONFINE_LOCK, act_lock, "locking"},
        {CONFINE_SYNC, act_sync, "syncing"},
    };
    static struct {
        int (*act)(void);
        char const *what;
    } const never[] = {
        {act_outside, "reading outside its paths"},
        {act_write_readable, "writing where it may read"},
        {act_truncate_readable, "truncating where it may read"},
        {act_unlink_readable, "removing where it may read"},
        {act_packet, "packet and netlink sockets"},
        {act_exec_outside, "executing another program"},
        {act_code, "memory that is writable and executable"},
        {act_listen, "binding a port"},
        {act_kill, "signalling the parent"},
        {act_trace, "tracing"},
        {act_mount, "mounting"},
        {act_setuid, "changing its uid"},
        {act_chmod, "changing modes by name"},
        {act_unlimit, "raising its limits"},
        {act_memory, "more memory than its limit"},
    };

    if (argc > 1 || argv[0][0] == 'p')
        return 0; /* the program that act_exec starts */
    prepare();
    if (!confine_works()) {
        printf("1..0 # SKIP this build does not confine\n");
        return 0;
    }
    int fd = open("/proc/self/exe", O_RDONLY);
    int to = open("program", O_WRONLY | O_CREAT, 0755);
    char block[65536];
    for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
        if (write(to, block, (size_t)n) != n)
            return 111;
    close(to);

    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        ok(succeeds(rights[i].may, rights[i].act), "with its right: %s", rights[i].what);
        ok(!succeeds(0, rights[i].act), "without: %s fails", rights[i].what);
    }
    unsigned int all = CONFINE_READ | CONFINE_WRITE | CONFINE_UNIX | CONFINE_INET | CONFINE_ACCEPT | CONFINE_EXEC |
                       CONFINE_FORK | CONFINE_PASS | CONFINE_LOCK | CONFINE_SYNC;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ok(!succeeds(all, never[i].act), "with all rights: %s fails", never[i].what);
    return tap_done();
}
