/* pneu-keyd(8): holds the private keys, and signs with them what begins a TLS connection. */

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "lib/tlssuite.h"
#include "tls/keyd.h"

#define USAGE "pneu-keyd"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static int
read_settings(struct keyd *d, enum setting *which)
{
    stralloc minimum = STRALLOC_ZERO;
    int good = control_uint(*which = SET_tlsrate, &d->rate) && control_line(*which = SET_tlsminimum, &minimum) == 1;
    unsigned int version = good ? tlssuite_version(minimum.s) : 0;

    if (good && !version)
        errno = EPROTO;
    d->legacy = version && version < BR_TLS12;
    stralloc_free(&minimum);
    return version != 0;
}

static void
refresh(struct keyd *d)
{
    enum setting which;

    if (!read_settings(d, &which))
        strerr_warnwu2sys("read ", control_path(which));
}

/* A descriptor that says that we are to end. */
static int
end_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    return sigprocmask(SIG_BLOCK, &set, NULL) == -1 ? -1 : signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
main(int argc, char const *const *argv)
{
    static struct keyd d = {.refresh = refresh};
    struct keystore_pair *pair;
    enum setting which;
    uint32_t uid, gid;
    int signals;

    PROG = "pneu-keyd";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&d, &which))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(which));
    if (!users_id("pneud", &uid, &gid))
        strerr_diefusys(EXIT_TEMP, "read ", "users/ids");
    d.pneud = uid;
    signals = end_signal();
    if (signals == -1 || signal(SIGPIPE, SIG_IGN) == SIG_ERR || !keyd_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    keyd_init(&d);
    pair = keystore_find(&d.store, ""); /* what is wrong with it is said now, not at the first connection */
    keystore_release(pair);
    if (!keyd_run(&d, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
