/* pneu-hookd(8): runs the operator's programs that judge clients, senders, recipients and messages. */

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "lib/serve.h"
#include "smtpd/hookd.h"

#define USAGE "pneu-hookd"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

struct daemon {
    uint32_t pneud, own;
    uint32_t sessions;
};

static int
read_settings(struct daemon *d, char const **which)
{
    struct control_number const wanted[] = {{SET_checksessions, &d->sessions}};

    return control_uints(wanted, 1, which);
}

static void
refresh(void *data)
{
    char const *which;

    if (!read_settings(data, &which))
        strerr_warnwu2sys("read ", which);
}

static void
log_refused(uint64_t uid, char const *why)
{
    struct log l;

    log_start(&l, "refused");
    log_uint(&l, "uid", uid);
    log_str(&l, "reason", why);
    log_end(&l);
}

/* The socket is for pneu-smtpd: nobody else learns what the programs say, or makes them run. */
static int
who(void *data, int fd, uint64_t *uid)
{
    struct daemon const *d = data;
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
        return 0;
    *uid = peer.uid;
    if (peer.uid == d->pneud || peer.uid == d->own)
        return 1;
    log_refused(peer.uid, "stranger");
    return 0;
}

static int
admits(struct serve const *s, uint64_t uid)
{
    struct daemon const *d = s->data;
    uint32_t all, same;

    serve_count(s, uid, &all, &same);
    return all < d->sessions;
}

/* Who gets no answer says 451. */
static void
refuse(void *data, int fd, uint64_t uid, int error)
{
    log_refused(uid, error ? "fork" : "sessions");
}

static void
session(void *data, int fd, uint64_t uid, size_t slot)
{
    hookd_session(fd);
}

static void
gone(void *data, size_t slot, struct serve_child const *child, int sig)
{
    if (sig && sig != SIGTERM)
        log_died(child->pid, sig);
}

int
main(int argc, char const *const *argv)
{
    struct daemon d;
    struct serve s = {
        .data = &d,
        .again = 1,
        .who = who,
        .admits = admits,
        .refuse = refuse,
        .refresh = refresh,
        .session = session,
        .gone = gone,
    };
    char const *which;
    uint32_t gid;
    int signals;

    PROG = "pneu-hookd";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize()) /* else a program's input might be where the log goes */
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&d, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (!users_id("pneud", &d.pneud, &gid))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
    d.own = geteuid();
    tain_now_set_stopwatch_g();
    s.slots = d.sessions;
    signals = serve_init(&s);
    if (signals == -1)
        strerr_diefusys(EXIT_TEMP, "make room for sessions");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
