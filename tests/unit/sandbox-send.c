/* What pneu-send, its helpers and pneu-bounce cannot do once they are confined, and what they still can. Each act in a child. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "bounce/bounce.h"
#include "lib/confine.h"
#include "send/sandbox.h"
#include "tests/tap.h"

/* OLD_KERNEL: only landlock 6 keeps pneu-send, which may start processes, from signalling others. */
enum { SEND = 1, HELPER = 2, BOUNCE = 4, OLD_KERNEL = 8 };

static int
confine_send(void)
{
    return sandbox_send("bounce");
}

static struct {
    char const *name;
    int (*confine)(void);
    unsigned int bit;
} const programs[] = {
    {"pneu-send", confine_send, SEND}, {"a helper", sandbox_helper, HELPER}, {"pneu-bounce", bounce_confine, BOUNCE}};

static int held; /* a file of the queue, open for writing */

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
move_message(void)
{
    return link("queue/new/message", "queue/wait/message") == 0 && unlink("queue/new/message") == 0;
}

static int
write_badmail(void)
{
    return open("badmail/x", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
write_outside(void)
{
    return open("users/x", O_WRONLY | O_CREAT, 0600) != -1;
}

static int
link_outside(void)
{
    return link("queue/new/message", "users/message") == 0;
}

static int
sync_it(void)
{
    return fdatasync(held) == 0;
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
packets(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) != -1;
}

static int
run_shell(void)
{
    return !execl("/bin/sh", "sh", "-c", "exit 0", (char *)0);
}

static int
run_other(void)
{
    return !execl("other", "other", (char *)0);
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
do_chown(void)
{
    return chown("queue/new/message", 1, 1) == 0;
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
do_mkfifo(void)
{
    return mkfifo("queue/new/z", 0600) == 0;
}

static struct {
    char const *name;
    int (*act)(void);
    unsigned int may; /* programs that can */
} const acts[] = {
    {"open /etc/passwd", passwd, 0},
    {"open /etc/passwd by way of the queue", passwd_around, 0},
    {"read a setting", setting, SEND | BOUNCE},
    {"write a setting", write_setting, 0},
    {"read a message", read_message, SEND},
    {"move a message", move_message, SEND},
    {"write to badmail", write_badmail, SEND | BOUNCE},
    {"write to users/", write_outside, 0},
    {"link a message out of the queue", link_outside, 0},
    {"sync an open file", sync_it, SEND | HELPER | BOUNCE},
    {"an Internet socket", inet, 0},
    {"an IPv6 socket", inet6, 0},
    {"a packet socket", packets, 0},
    {"a Unix socket", unix_socket, SEND | BOUNCE},
    {"run a shell", run_shell, 0},
    {"run another program", run_other, 0},
    {"fork", split, SEND},
    {"signal its parent", kill_parent, OLD_KERNEL},
    {"trace its parent", trace, 0},
    {"mount", do_mount, 0},
    {"chmod", do_chmod, 0},
    {"chown", do_chown, 0},
    {"setuid", do_setuid, 0},
    {"chroot", do_chroot, 0},
    {"make a symbolic link", do_symlink, 0},
    {"make a fifo", do_mkfifo, 0},
};

static void
put_file(char const *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    (void)!write(fd, "x", 1);
    close(fd);
}

static void
make_instance(void)
{
    static char const *const folders[] = {"control", "queue", "queue/new", "queue/wait", "badmail", "users", "run"};

    for (unsigned int i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0700);
    put_file("control/me", 0600);
    put_file("other", 0700);
    put_file("bounce", 0700);
}

/* Returns 1 if the act succeeded, 0 if not, -1 if the sandbox itself failed. */
static int
attempt(int (*confine_it)(void), int (*act)(void))
{
    int status;
    pid_t pid;

    put_file("queue/new/message", 0600);
    unlink("queue/wait/message");
    pid = fork();
    if (!pid)
        _exit(!confine_it() ? 2 : act() ? 0 : 1);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 2)
        return -1;
    return !WEXITSTATUS(status);
}

int
main(void)
{
    char dir[] = "/tmp/pneu-sandbox-XXXXXX";

    if (!confine_works()) {
        puts("1..0 # SKIP this build or kernel does not confine");
        return 0;
    }
    if (!mkdtemp(dir) || chdir(dir) == -1)
        return 111;
    make_instance();
    put_file("queue/new/message", 0600);
    held = open("queue/new/message", O_WRONLY);
    for (unsigned int p = 0; p < sizeof programs / sizeof *programs; p++)
        for (unsigned int i = 0; i < sizeof acts / sizeof *acts; i++) {
            int may = (acts[i].may & programs[p].bit) != 0;
            if (acts[i].may & OLD_KERNEL && programs[p].bit == SEND)
                continue;
            ok(attempt(programs[p].confine, acts[i].act) == may, "%s %s: %s", programs[p].name, may ? "can" : "cannot",
               acts[i].name);
        }
    rm_rf(dir);
    return tap_done();
}
