/* smtpd/sandbox.c: what a pneu-smtpd that was taken over cannot do. Each act in a child of its own, confined there. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "lib/confine.h"
#include "smtpd/sandbox.h"
#include "tests/tap.h"

static int
try_passwd(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}

static int
try_queue(void)
{
    return open("queue/secret", O_RDONLY) != -1;
}

static int
try_up(void)
{
    return open("control/../queue/secret", O_RDONLY) != -1;
}

static int
try_write(void)
{
    return open("control/me", O_WRONLY) != -1;
}

static int
try_create(void)
{
    return open("control/new", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
try_tmp(void)
{
    return open("/tmp", O_TMPFILE | O_WRONLY, 0600) != -1;
}

static int
try_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) != -1;
}

static int
try_inet6(void)
{
    return socket(AF_INET6, SOCK_DGRAM, 0) != -1;
}

static int
try_packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) != -1;
}

static int
try_exec(void)
{
    return !execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL) || errno == ENOENT;
}

static int
try_fork(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid != -1;
}

static int
try_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static int
try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static int
try_mount(void)
{
    return mount("none", "control", "tmpfs", 0, NULL) == 0;
}

static int
try_chmod(void)
{
    return chmod("control/me", 0777) == 0;
}

static int
try_unlink(void)
{
    return unlink("control/me") == 0;
}

static int
try_rename(void)
{
    return rename("control/me", "control/you") == 0;
}

static int
try_link(void)
{
    return link("queue/secret", "control/secret") == 0;
}

static int
try_symlink(void)
{
    return symlink("/etc/passwd", "control/secret") == 0;
}

static int
try_mkdir(void)
{
    return mkdir("control/new", 0700) == 0;
}

static int
try_setuid(void)
{
    return setuid(0) == 0 && setuid(12345) == 0;
}

static int
try_truncate(void)
{
    return truncate("control/me", 0) == 0;
}

static int
try_chroot(void)
{
    return chroot("control") == 0;
}

static struct {
    char const *name;
    int (*act)(void);
} const forbidden[] = {
    {"read /etc/passwd", try_passwd},
    {"read the queue", try_queue},
    {"read it by way of control/..", try_up},
    {"open a setting for writing", try_write},
    {"make a setting", try_create},
    {"make a file without a name", try_tmp},
    {"a TCP socket", try_inet},
    {"a UDP socket", try_inet6},
    {"a raw socket", try_packet},
    {"run /bin/sh", try_exec},
    {"fork", try_fork},
    {"signal its parent", try_kill},
    {"trace its parent", try_ptrace},
    {"mount", try_mount},
    {"chmod", try_chmod},
    {"unlink", try_unlink},
    {"rename", try_rename},
    {"link", try_link},
    {"symlink", try_symlink},
    {"mkdir", try_mkdir},
    {"setuid", try_setuid},
    {"truncate", try_truncate},
    {"chroot", try_chroot},
};

static int
may_setting(void)
{
    return open("control/me", O_RDONLY) != -1;
}

static int
may_users(void)
{
    return open("users/cdb", O_RDONLY) != -1;
}

static int
may_stat(void)
{
    struct stat st;

    return stat("control/domain", &st) == -1 && errno == ENOENT;
}

static int
may_connect(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "run/intake"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd != -1 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0 && ndelay_on(fd) == 0;
}

static struct {
    char const *name;
    int (*act)(void);
} const needed[] = {
    {"read a setting", may_setting},
    {"read users/cdb", may_users},
    {"see that a folder is missing", may_stat},
    {"connect to run/intake", may_connect},
};

/* 1 if the act succeeds in a confined child. */
static int
succeeds(int (*act)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(smtpd_confine() ? act() ? 1 : 0 : 2);
    if (pid == -1 || waitpid(pid, &status, 0) == -1)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0; /* killed is as good */
}

static void
make(char const *path)
{
    if (!openwritenclose_unsafe(path, "x\n", 2))
        perror(path);
}

static void
make_instance(void)
{
    static char home[] = "/tmp/sandbox-smtpd.XXXXXX";
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "run/intake"};

    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("control", 0755) == -1 || mkdir("users", 0755) == -1 ||
        mkdir("queue", 0755) == -1 || mkdir("run", 0755) == -1)
        perror(home);
    make("control/me");
    make("users/cdb");
    make("queue/secret");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) == -1 || listen(fd, 5) == -1)
        perror("run/intake");
}

int
main(void)
{
    char home[200];

    if (!confine_works()) {
        puts("1..0 # SKIP this build, or this kernel, confines nothing");
        return 0;
    }
    make_instance();
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        ok(succeeds(needed[i].act) == 1, "it may: %s", needed[i].name);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        ok(succeeds(forbidden[i].act) == 0, "it may not: %s", forbidden[i].name);
    if (getcwd(home, sizeof home) && chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
