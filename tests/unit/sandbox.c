/* The sandbox of every confined program: a table of acts, and who may still do each once it is confined. Each act is
 * tried in a process of its own, in a small instance; so is each that must fail. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "access/aside.h"
#include "auth/checkpw.h"
#include "bounce/bounce.h"
#include "lib/confine.h"
#include "local/sandbox.h"
#include "operator/sandbox.h"
#include "queue/filterd.h"
#include "queue/inqueue.h"
#include "queue/list.h"
#include "queue/queued.h"
#include "remote/sandbox.h"
#include "send/sandbox.h"
#include "send/spawn.h"
#include "smtpd/delegate.h"
#include "smtpd/sandbox.h"
#include "tests/tap.h"
#include "tls/keyd.h"
#include "tls/tlsproxy.h"

static int
confine_send(void)
{
    return sandbox_send("program");
}

static int
confine_spawn_l(void)
{
    return spawn_confine(1);
}

static int
confine_spawn_r(void)
{
    return spawn_confine(0);
}

static int
confine_aside(void)
{
    return aside_confine(0);
}

static int
confine_resolver(void)
{
    return aside_confine(1);
}

/* It is left with what pneu-smtpd has. */
static int
confine_child(void)
{
    return smtpd_confine_listener("./") && smtpd_confine_child(0);
}

static int
confine_listener(void)
{
    return smtpd_confine_listener("./");
}

static int
confine_child_starttls(void)
{
    return smtpd_confine_listener("./") && smtpd_confine_child(1);
}

static int
confine_starttls(void)
{
    return smtpd_confine_starttls("./");
}

/* pneu-tlsd goes on in pneu-smtpd's. */
static int
confine_proxy(void)
{
    return smtpd_confine_starttls("./") && tlsproxy_confine();
}

static int
confine_local(void)
{
    return local_confine("home");
}

/* Opened before, as the programs have them open. */
static int newfolder, held, unixlistener, inetlistener;
static struct sockaddr_in inetname = {.sin_family = AF_INET};
static struct sockaddr_un const unixname = {.sun_family = AF_UNIX, .sun_path = "run/intake"};

/* ---- acts: 1 if it succeeded ---- */

#define OPENS(name, path, flags)                                                                                       \
    static int name(void)                                                                                              \
    {                                                                                                                  \
        return open(path, flags, 0600) != -1;                                                                          \
    }
#define SAYS_0(name, call)                                                                                             \
    static int name(void)                                                                                              \
    {                                                                                                                  \
        return (call) == 0;                                                                                            \
    }
#define SAYS_ANY(name, call)                                                                                           \
    static int name(void)                                                                                              \
    {                                                                                                                  \
        return (call) != -1;                                                                                           \
    }

OPENS(read_passwd, "/etc/passwd", O_RDONLY)
OPENS(read_around, "control/../queue/../../../etc/passwd", O_RDONLY)
OPENS(read_by_link, "control/link", O_RDONLY)
OPENS(read_setting, "control/me", O_RDONLY)
OPENS(read_users, "users/cdb", O_RDONLY)
OPENS(read_key, "tls/key.pem", O_RDONLY)
OPENS(read_message, "queue/new/message", O_RDONLY)
OPENS(list_queue, "queue/new", O_RDONLY | O_DIRECTORY)
OPENS(read_home, "home/file", O_RDONLY)
OPENS(read_alias, "alias/file", O_RDONLY)
OPENS(write_setting, "control/me", O_WRONLY)
OPENS(make_setting, "control/new", O_WRONLY | O_CREAT)
OPENS(write_users, "users/cdb", O_WRONLY)
OPENS(make_alias, "alias/new", O_WRONLY | O_CREAT)
OPENS(make_badmail, "badmail/new", O_WRONLY | O_CREAT)
OPENS(make_home, "home/new", O_WRONLY | O_CREAT)
OPENS(make_tmp, "/tmp", O_TMPFILE | O_WRONLY)
OPENS(make_copy, "queue/lock", O_TMPFILE | O_RDWR)
SAYS_0(link_out, link("queue/new/message", "alias/message"))
SAYS_0(link_home_out, link("home/file", "alias/other"))
SAYS_0(unlink_setting, unlink("control/me"))
SAYS_0(unlink_held, unlink("queue/hold/message"))
SAYS_0(unlink_home, unlink("home/file"))
SAYS_0(rename_setting, rename("control/me", "control/you"))
SAYS_0(mkdir_setting, mkdir("control/folder", 0700))
SAYS_0(symlink_queue, symlink("/etc/passwd", "queue/new/link"))
SAYS_0(mkfifo_queue, mkfifo("queue/new/fifo", 0600))
SAYS_0(truncate_setting, truncate("control/me", 0))
SAYS_0(chmod_setting, chmod("control/me", 0777))
SAYS_0(chown_setting, chown("control/me", 1, 1))
SAYS_ANY(unix_socket, socket(AF_UNIX, SOCK_STREAM, 0))
SAYS_ANY(inet_socket, socket(AF_INET, SOCK_STREAM, 0))
SAYS_ANY(inet6_socket, socket(AF_INET6, SOCK_DGRAM, 0))
SAYS_ANY(raw_socket, socket(AF_PACKET, SOCK_RAW, 0))
SAYS_ANY(netlink_socket, socket(AF_NETLINK, SOCK_RAW, 0))
SAYS_0(signal_parent, kill(getppid(), 0))
SAYS_0(trace_parent, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
SAYS_0(mount_over, mount("none", "control", "tmpfs", 0, NULL))
SAYS_0(change_root, chroot("control"))
SAYS_0(become_root, setuid(0))
SAYS_0(sync_held, fdatasync(held))
SAYS_ANY(memory_file, memfd_create("x", MFD_ALLOW_SEALING))
SAYS_0(lock_held, flock(held, LOCK_EX | LOCK_NB))

static int
queue_message(void)
{
    int fd = openat(newfolder, ".", O_TMPFILE | O_WRONLY, 0600);

    return fd != -1 && pwrite(fd, "x", 1, 0) == 1 && fsync(fd) == 0 &&
           linkat(fd, "", newfolder, "made", AT_EMPTY_PATH) == 0 && fsync(newfolder) == 0;
}

static int
move_message(void)
{
    return link("queue/new/message", "queue/wait/message") == 0 && unlink("queue/new/message") == 0;
}

static int
ask_space(void)
{
    struct statfs st;

    return statfs("queue", &st) == 0;
}

static int
connect_unix(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return fd != -1 && connect(fd, (struct sockaddr const *)&unixname, sizeof unixname) == 0;
}

static int
connect_inet(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd != -1 && connect(fd, (struct sockaddr *)&inetname, sizeof inetname) == 0;
}

static int
serve_inet(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};

    return bind(inetlistener, (struct sockaddr *)&any, sizeof any) == 0 || listen(inetlistener, 1) == 0;
}

static int
take_connection(void)
{
    return accept4(unixlistener, 0, 0, SOCK_CLOEXEC) != -1 || errno == EAGAIN;
}

static int
run_shell(void)
{
    return !execl("/bin/sh", "sh", "-c", "exit 0", (char *)0);
}

/* A program that may be started is there, but is none: the kernel says so only to who may. */
static int
run_program(void)
{
    return execl("program", "program", (char *)0) == -1 && errno == ENOEXEC;
}

static int
run_tlsd(void)
{
    return execl("pneu-tlsd", "pneu-tlsd", (char *)0) == -1 && errno == ENOEXEC;
}

static int
start_process(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid != -1;
}

static int
make_code(void)
{
    return mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* ---- the table ---- */

static struct {
    char const *name;
    int (*act)(void);
} const acts[] = {
    {"read a setting", read_setting},
    {"read the table of users", read_users},
    {"read a private key", read_key},
    {"read a message", read_message},
    {"list the queue", list_queue},
    {"read in the home it delivers to", read_home},
    {"queue a message", queue_message},
    {"move a message", move_message},
    {"write to badmail", make_badmail},
    {"write in the home it delivers to", make_home},
    {"remove there", unlink_home},
    {"make a copy in queue/lock", make_copy},
    {"sync what is open", sync_held},
    {"lock what is open", lock_held},
    {"ask for the disk's space", ask_space},
    {"make a Unix socket", unix_socket},
    {"connect to the intake", connect_unix},
    {"take a connection of its socket", take_connection},
    {"make a TCP socket", inet_socket},
    {"make a UDP socket", inet6_socket},
    {"connect to another host", connect_inet},
    {"make memory a file", memory_file},
    {"start a process", start_process},
    {"run the program it is for", run_program},
    {"read /etc/passwd", read_passwd},
    {"read it by way of ..", read_around},
    {"read by a symbolic link", read_by_link},
    {"read in alias/", read_alias},
    {"write a setting", write_setting},
    {"make a setting", make_setting},
    {"truncate a setting", truncate_setting},
    {"remove a setting", unlink_setting},
    {"rename a setting", rename_setting},
    {"make a folder of settings", mkdir_setting},
    {"change a mode by name", chmod_setting},
    {"change an owner", chown_setting},
    {"write the table of users", write_users},
    {"write in alias/", make_alias},
    {"write in /tmp", make_tmp},
    {"link a message out of the queue", link_out},
    {"link a file out of the home", link_home_out},
    {"remove a held message", unlink_held},
    {"make a symbolic link", symlink_queue},
    {"make a fifo", mkfifo_queue},
    {"make a raw socket", raw_socket},
    {"make a netlink socket", netlink_socket},
    {"serve a port", serve_inet},
    {"run a shell", run_shell},
    {"run pneu-tlsd", run_tlsd},
    {"signal its parent", signal_parent},
    {"trace its parent", trace_parent},
    {"mount", mount_over},
    {"change the root", change_root},
    {"become root", become_root},
    {"make code from data", make_code},
};

#define MAY_MAX 24

/* What each may still do. */
static struct {
    char const *name;
    int (*confine)(void);
    int (*may[MAY_MAX])(void);
} const programs[] = {
    {"pneu-smtpd", smtpd_confine, {read_setting, read_users, ask_space, unix_socket, connect_unix}},
    {"pneu-smtpd where TLS is offered",
     confine_starttls,
     {read_setting, read_users, ask_space, unix_socket, connect_unix, start_process, run_tlsd}},
    {"pneu-tlsd's proxy", confine_proxy, {0}},
    {"pneu-tlsd's proxy, -i", tlsproxy_confine, {0}},
    {"pneu-keyd", keyd_confine, {read_setting, read_key, ask_space, take_connection}},
    {"pneu-proxy's reader, pneu-access refusing", confine_aside, {}},
    {"pneu-access's resolver", confine_resolver, {inet_socket, inet6_socket, connect_inet}},
    {"pneu-smtplisten",
     confine_listener,
     {read_setting, read_users, ask_space, unix_socket, connect_unix, take_connection, start_process, run_tlsd}},
    {"pneu-smtplisten's child where TLS is offered",
     confine_child_starttls,
     {read_setting, read_users, ask_space, unix_socket, connect_unix, start_process, run_tlsd}},
    {"pneu-smtplisten's child", confine_child, {read_setting, read_users, ask_space, unix_socket, connect_unix}},
    {"pneu-queued",
     queued_confine,
     {read_setting, read_message, list_queue, queue_message, make_copy, sync_held, lock_held, ask_space,
      take_connection, memory_file, start_process}},
    {"pneu-queue", inqueue_confine, {}},
    {"pneu-filterd", filterd_confine, {ask_space}},
    {"pneu-list, pneu-show", list_confine, {read_setting, read_message, list_queue, ask_space}},
    {"pneu-hold and its kin",
     sandbox_operator,
     {read_message, list_queue, queue_message, move_message, make_copy, sync_held, lock_held, ask_space, unlink_held}},
    {"pneu-send",
     confine_send,
     {read_setting, read_message, list_queue, queue_message, move_message, make_badmail, make_copy, sync_held,
      lock_held, ask_space, unix_socket, connect_unix, memory_file, start_process, run_program, unlink_held}},
    {"pneu-send's helper", sandbox_helper, {sync_held, memory_file}},
    {"pneu-bounce", bounce_confine, {read_setting, make_badmail, sync_held, ask_space, unix_socket, connect_unix}},
    {"pneu-spawn -L",
     confine_spawn_l,
     {read_setting, read_users, make_copy, sync_held, ask_space, take_connection, memory_file}},
    {"pneu-spawn -R", confine_spawn_r, {read_setting, ask_space, take_connection, memory_file}},
    {"pneu-local",
     confine_local,
     {read_home, make_home, unlink_home, sync_held, lock_held, ask_space, unix_socket, connect_unix, memory_file}},
    {"pneu-remote", remote_confine, {read_setting, ask_space, inet_socket, inet6_socket, connect_inet, memory_file}},
    {"pneu-policy", delegate_confine, {}},
    {"pneu-checkpw's child", checkpw_confine, {read_users, ask_space}},
};

/* ---- an instance ---- */

static void
put_file(char const *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    if (fd == -1 || write(fd, "x", 1) != 1)
        perror(path);
    close(fd);
}

/* What an act may have taken away. */
static void
renew(void)
{
    put_file("queue/new/message", 0600);
    put_file("queue/hold/message", 0600);
    put_file("home/file", 0600);
    unlink("queue/wait/message");
    unlink("queue/new/made");
}

static void
make_instance(void)
{
    static char const *const folders[] = {"control",    "queue",     "queue/new", "queue/wait", "queue/hold",
                                          "queue/lock", "queue/bad", "badmail",   "users",      "run",
                                          "alias",      "mail",      "home",      "tls"};
    socklen_t len = sizeof inetname;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0700) == -1)
            perror(folders[i]);
    put_file("control/me", 0600);
    put_file("users/cdb", 0600);
    put_file("alias/file", 0600);
    put_file("program", 0700);
    put_file("pneu-tlsd", 0700);
    put_file("pneu-smtpd", 0700);
    put_file("tls/key.pem", 0600);
    renew();
    if (symlink("../alias/file", "control/link") == -1)
        perror("control/link");
    newfolder = open("queue/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    held = open("queue/new/message", O_WRONLY | O_CLOEXEC);
    unixlistener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    inetlistener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    inetname.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(unixlistener, (struct sockaddr const *)&unixname, sizeof unixname) == -1 ||
        listen(unixlistener, 100) == -1 || bind(inetlistener, (struct sockaddr *)&inetname, sizeof inetname) == -1 ||
        listen(inetlistener, 100) == -1 || getsockname(inetlistener, (struct sockaddr *)&inetname, &len) == -1)
        perror("sockets");
}

static int
may(unsigned int program, int (*act)(void))
{
    for (unsigned int i = 0; i < MAY_MAX && programs[program].may[i]; i++)
        if (programs[program].may[i] == act)
            return 1;
    return 0;
}

/* Who may start processes may signal them; that he cannot signal others takes landlock of version 6. */
static int
beyond_kernel(unsigned int program, int (*act)(void))
{
    return act == signal_parent && may(program, start_process) && syscall(__NR_landlock_create_ruleset, NULL, 0, 1) < 6;
}

/* 1 if the act succeeds in a process so confined, 0 if not, or if it dies of it; -1 if it cannot be confined. */
static int
succeeds(int (*confine_it)(void), int (*act)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(!confine_it() ? 2 : !act());
    if (pid == -1 || waitpid(pid, &status, 0) != pid)
        return -1;
    return !WIFEXITED(status) ? 0 : WEXITSTATUS(status) == 2 ? -1 : !WEXITSTATUS(status);
}

int
main(void)
{
    char home[] = "/tmp/pneu-sandbox.XXXXXX";

    if (!confine_works()) {
        puts("1..0 # SKIP this build, or this kernel, does not confine");
        return 0;
    }
    if (!mkdtemp(home) || chdir(home) == -1)
        return 111;
    make_instance();
    for (unsigned int p = 0; p < sizeof programs / sizeof *programs; p++)
        for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
            int wanted = may(p, acts[i].act);
            renew();
            if (beyond_kernel(p, acts[i].act))
                continue;
            ok(succeeds(programs[p].confine, acts[i].act) == wanted, "%s %s: %s", programs[p].name,
               wanted ? "may" : "may not", acts[i].name);
        }
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
