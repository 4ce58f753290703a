/* pneu-spawn(8): start deliverers for pneu-send, and start them again and again
 * as seldom as possible. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "send/spawn.h"
#include "send/spawnroot.h"

#define USAGE "pneu-spawn -L | -R"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

/* The program's path: looked for once, not by root at every start. */
static char const *
find_program(char const *name, stralloc *path)
{
    char const *dirs = getenv("PATH");

    while (dirs && *dirs) {
        size_t len = strcspn(dirs, ":");
        path->len = 0;
        if (*dirs == '/' && (!stralloc_catb(path, dirs, len) || !stralloc_append(path, '/') ||
                             !stralloc_cats(path, name) || !stralloc_0(path)))
            strerr_diefusys(EXIT_TEMP, "find ", name);
        if (path->len && access(path->s, X_OK) == 0)
            return path->s;
        dirs += len + (dirs[len] == ':');
    }
    strerr_dief(EXIT_TEMP, "no ", name, " in $PATH");
}

/* The deliverer's whole environment. */
static char const *const *
make_environment(void)
{
    static char const *envp[3];
    static stralloc path = STRALLOC_ZERO, home = STRALLOC_ZERO;
    char cwd[PATH_MAX];
    char const *dirs = getenv("PATH");

    if (!dirs || !getcwd(cwd, sizeof cwd) || !stralloc_cats(&path, "PATH=") || !stralloc_cats(&path, dirs) ||
        !stralloc_0(&path) || !stralloc_cats(&home, "PNEU_HOME=") || !stralloc_cats(&home, cwd) || !stralloc_0(&home))
        strerr_diefusys(EXIT_TEMP, "make an environment");
    envp[0] = path.s;
    envp[1] = home.s;
    return envp;
}

/* The talking half. As root it becomes pneuq, for good. */
static void
talk(int local, int root, uint32_t uid, uint32_t gid)
{
    static struct spawn s;

    s.local = local;
    s.listener = 0;
    s.root = root;
    s.peer = uid;
    s.send = (struct jobwire)JOBWIRE_ZERO;
    s.limit = 1;
    for (unsigned int i = 0; i < SPAWN_WORKERS_MAX; i++)
        s.worker[i].wire = (struct jobwire)JOBWIRE_ZERO;
    if (geteuid() == 0 && (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
                           setresuid(uid, uid, uid) == -1 || getuid() != uid))
        strerr_diefusys(EXIT_TEMP, "become pneuq");
    if (!spawn_confine(local))
        strerr_diefusys(EXIT_TEMP, "confine itself");
    spawn_serve(&s);
    if (errno == EPIPE)
        _exit(0);
    strerr_diefusys(EXIT_TEMP, "go on");
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct spawnroot r = {.own = geteuid()};
    stralloc path = STRALLOC_ZERO;
    uint32_t uid, gid;
    int mode = 0;
    int fds[2];

    PROG = "pneu-spawn";
    for (int c; (c = subgetopt_r(argc, argv, "LR", &opts)) != -1; mode = c)
        if ((c != 'L' && c != 'R') || mode)
            dieusage();
    if (!mode || argv[opts.ind])
        dieusage();
    if (mode == 'R' && !r.own) /* its deliverers have its uid */
        strerr_dief(EXIT_PERM, "what speaks to other hosts does not run as root");
    if (!fd_sanitize() || sig_ignore(SIGPIPE) == -1)
        strerr_diefusys(EXIT_TEMP, "begin");
    umask(022);
    r.local = mode == 'L';
    r.program = find_program(r.local ? "pneu-local" : "pneu-remote", &path);
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!users_id("pneuv", &r.mailuid, &r.mailgid) || !users_id("pneuq", &uid, &gid))
        strerr_diefusys(EXIT_TEMP, "read users/ids");
    r.envp = make_environment();
    r.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (r.null == -1 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
        strerr_diefusys(EXIT_TEMP, "begin");
    switch (fork()) {
    case -1:
        strerr_diefusys(EXIT_TEMP, "fork");
    case 0:
        close(fds[0]);
        talk(r.local, fds[1], uid, gid);
    }
    close(fds[1]);
    /* The listener is the other half's. */
    if (dup2(r.null, 0) == -1)
        strerr_diefusys(EXIT_TEMP, "begin");
    if (!spawnroot_serve(&r, fds[0]))
        strerr_diefusys(EXIT_TEMP, "serve");
    return EXIT_TEMP;
}
