/* pneu-send(8): the scheduler. Knows every message of the queue, decides who is tried when, gives jobs to pneu-spawn
 * and marks what is done. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/selfpipe.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "queue/layout.h"
#include "send/loop.h"
#include "send/sandbox.h"
#include "send/sync.h"

#define USAGE "pneu-send"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

/* The lock is on the description, so that it ends with us, however we end. */
static int
take_lock(void)
{
    int fd = open(QUEUE_SENDLOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd == -1)
        strerr_diefusys(EXIT_TEMP, "open ", QUEUE_SENDLOCK);
    if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        if (errno == EWOULDBLOCK)
            strerr_dief(EXIT_PERM, "another pneu-send runs in this instance");
        strerr_diefusys(EXIT_TEMP, "lock ", QUEUE_SENDLOCK);
    }
    return fd;
}

/* pneu-bounce's path is found once: later the sandbox lets nothing else be started. Mail that can be delivered does
 * not wait for it. */
static char const *
find_bounce(void)
{
    static char found[PATH_MAX];
    static char const name[] = "/pneu-bounce";
    char const *path = getenv("PATH");
    size_t len;

    for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path; path += len + (path[len] == ':')) {
        len = strcspn(path, ":");
        if (len + sizeof name > sizeof found || *path != '/')
            continue;
        memcpy(found, path, len);
        memcpy(found + len, name, sizeof name);
        if (access(found, X_OK) == 0)
            return found;
    }
    strerr_warnwu("find pneu-bounce: reports will wait");
    return "pneu-bounce";
}

static int
catch_signals(void)
{
    static int const caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGALRM};
    int fd = selfpipe_init();

    for (unsigned int i = 0; fd != -1 && i < sizeof caught / sizeof *caught; i++)
        if (selfpipe_trap(caught[i]) == -1)
            fd = -1;
    if (fd == -1 || sig_ignore(SIGPIPE) == -1)
        strerr_diefusys(EXIT_TEMP, "catch signals");
    return fd;
}

int
main(int argc, char const *const *argv)
{
    struct send *s;
    char const *what, *bounce;
    int lock, signals;

    PROG = "pneu-send";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open descriptors 0, 1 and 2");
    bounce = find_bounce();
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    umask(077);
    lock = take_lock();
    s = calloc(1, sizeof *s);
    if (!s)
        strerr_diefusys(EXIT_TEMP, "begin");
    /* First of all: the helpers shall be small, and know nothing. */
    if (!sync_start(&s->syncs, lock))
        strerr_diefusys(EXIT_TEMP, "start helper processes");
    signals = catch_signals();
    if (!loop_init(s, bounce, &what))
        strerr_diefusys(EXIT_TEMP, "use ", what);
    if (!sandbox_send(bounce))
        strerr_diefusys(EXIT_TEMP, "confine");
    return loop_run(s, signals);
}
