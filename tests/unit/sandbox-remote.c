/* What pneu-remote cannot do once it is confined, and what it still can. Each act in a child of its own. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "lib/confine.h"
#include "remote/sandbox.h"
#include "tests/tap.h"

static int listening;
static struct sockaddr_in there = {.sin_family = AF_INET};

static int
setting(void)
{
    return open("control/me", O_RDONLY) != -1;
}

static int
connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd != -1 && connect(fd, (struct sockaddr *)&there, sizeof there) == 0;
}

static int
datagram(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    return fd != -1;
}

static int
passwd(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}

static int
passwd_around(void)
{
    return open("control/../../../../../../../etc/passwd", O_RDONLY) != -1;
}

static int
queue(void)
{
    return open("queue/new/message", O_RDONLY) != -1;
}

static int
queue_folder(void)
{
    return open("queue", O_RDONLY | O_DIRECTORY) != -1;
}

static int
write_setting(void)
{
    return open("control/me", O_WRONLY) != -1;
}

static int
make_file(void)
{
    return open("control/new", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
unlink_setting(void)
{
    return unlink("control/me") == 0;
}

static int
rename_setting(void)
{
    return rename("control/me", "control/you") == 0;
}

static int
make_folder(void)
{
    return mkdir("control/x", 0700) == 0;
}

static int
change_mode(void)
{
    return chmod("control/me", 0666) == 0;
}

static int
unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}

static int
packets(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) != -1;
}

static int
netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0) != -1;
}

static int
be_server(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    return bind(fd, (struct sockaddr *)&any, sizeof any) == 0 || listen(fd, 1) == 0;
}

static int
take_connection(void)
{
    return accept4(listening, 0, 0, SOCK_NONBLOCK) != -1 || errno == EAGAIN;
}

static int
run_shell(void)
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
    return ptrace(PTRACE_ATTACH, getppid(), 0, 0) != -1;
}

static int
mount_it(void)
{
    return mount("none", "control", "tmpfs", 0, 0) == 0;
}

static int
become_root(void)
{
    return setuid(0) == 0 || setgid(0) == 0;
}

static int
code_from_data(void)
{
    return mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static struct {
    char const *name;
    int (*act)(void);
    int may;
} const acts[] = {
    {"read a setting", setting, 1},
    {"connect to another host", connection, 1},
    {"ask a resolver", datagram, 1},
    {"read /etc/passwd", passwd, 0},
    {"the same by ..", passwd_around, 0},
    {"read the queue", queue, 0},
    {"list it", queue_folder, 0},
    {"write a setting", write_setting, 0},
    {"make a file", make_file, 0},
    {"unlink", unlink_setting, 0},
    {"rename", rename_setting, 0},
    {"make a folder", make_folder, 0},
    {"change modes", change_mode, 0},
    {"Unix sockets", unix_socket, 0},
    {"raw packets", packets, 0},
    {"netlink", netlink, 0},
    {"be a server", be_server, 0},
    {"take a connection", take_connection, 0},
    {"run a program", run_shell, 0},
    {"fork", split, 0},
    {"signal its parent", kill_parent, 0},
    {"trace its parent", trace_parent, 0},
    {"mount", mount_it, 0},
    {"become somebody else", become_root, 0},
    {"make code from data", code_from_data, 0},
};

static int
try(int (*act)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        if (!remote_confine())
            _exit(2);
        _exit(act() ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) < 2 ? !WEXITSTATUS(status) : -1;
}

int
main(void)
{
    char home[] = "/tmp/pneu-sandbox.XXXXXX";
    socklen_t len = sizeof there;

    if (!confine_works()) {
        ok(1, "# SKIP this build or kernel does not confine");
        return tap_done();
    }
    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("control", 0755) == -1 || mkdir("queue", 0755) == -1 ||
        mkdir("queue/new", 0755) == -1 || close(open("control/me", O_WRONLY | O_CREAT, 0644)) == -1 ||
        close(open("queue/new/message", O_WRONLY | O_CREAT, 0644)) == -1)
        return 111;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listening, (struct sockaddr *)&there, len) == -1 || listen(listening, 5) == -1 ||
        getsockname(listening, (struct sockaddr *)&there, &len) == -1)
        return 111;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        int got = try(acts[i].act);
        ok(got == acts[i].may, "%s: %s", acts[i].may ? "may" : "may not", acts[i].name);
    }
    if (chdir("/") == -1)
        return 111;
    rm_rf(home);
    return tap_done();
}
