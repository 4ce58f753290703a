/* pneu-authd(8): answers one question about a login. s6-ipcserver starts it for each, the client on descriptors 0 and 1. */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "auth/authd.h"
#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"

#define USAGE "pneu-authd [-r]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

#define PATIENCE 10 /* seconds for a question to come, and for its answer to go */

/* Passwords can be tried out here, with nobody who slows the trying down: not by everybody. */
static int
is_trusted(void)
{
    char const *text = getenv("IPCREMOTEEUID");
    uint32_t peer, pneud, gid;

    return text && uint320_scan(text, &peer) &&
           (!peer || peer == geteuid() || (users_id("pneud", &pneud, &gid) && peer == pneud));
}

static int
wait_for(int fd, short events, tain const *deadline)
{
    iopause_fd x = {.fd = fd, .events = events};

    return iopause_stamp(&x, 1, deadline, &STAMP) > 0;
}

/* Returns 1, or 0: none came. */
static int
read_question(stralloc *text, struct auth_question *q)
{
    tain deadline;

    tain_addsec_g(&deadline, PATIENCE);
    for (;;) {
        struct bytes in = {text->s, text->len};
        int whole = text->len ? auth_question_take(&in, q) : 0;
        if (whole)
            return whole == 1;
        if (!stralloc_readyplus(text, 2048) || !wait_for(0, IOPAUSE_READ, &deadline))
            return 0;
        ssize_t n = read(0, text->s + text->len, 2048);
        if (n > 0)
            text->len += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            return 0;
    }
}

static void
write_answer(struct auth_answer const *a)
{
    stralloc text = STRALLOC_ZERO;
    tain deadline;
    size_t sent = 0;

    if (!auth_answer_put(&text, a))
        return;
    tain_now_g();
    tain_addsec_g(&deadline, PATIENCE);
    while (sent < text.len && wait_for(1, IOPAUSE_WRITE, &deadline)) {
        ssize_t n = write(1, text.s + sent, text.len - sent);
        if (n == -1 && errno != EINTR && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
}

/* The listener's own settings count. A name that is no folder's is none of a listener. */
static void
choose_listener(struct bytes listener)
{
    char name[256];

    unsetenv("PNEU_SERVER");
    if (!listener.len || listener.len >= sizeof name || memchr(listener.s, 0, listener.len))
        return;
    memcpy(name, listener.s, listener.len);
    name[listener.len] = 0;
    (void)setenv("PNEU_SERVER", name, 1);
}

static int
read_settings(struct authd *d)
{
    static enum setting const lines[] = {SET_authdomain, SET_me};
    stralloc *const values[] = {&d->domain, &d->me};

    if (control_list(SET_checkpassword, &d->checkpassword) != 1) {
        strerr_warnwu2sys("read ", control_path(SET_checkpassword));
        return 0;
    }
    for (unsigned int i = 0; i < sizeof lines / sizeof *lines; i++)
        if (control_line(lines[i], values[i]) == -1) {
            strerr_warnwu2sys("read ", control_path(lines[i]));
            return 0;
        }
    if (!control_uint(SET_timeoutauth, &d->seconds)) {
        strerr_warnwu2sys("read ", control_path(SET_timeoutauth));
        return 0;
    }
    return 1;
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct authd_reply reply = AUTHD_REPLY_ZERO;
    struct authd d = {0};
    struct auth_question q;
    stralloc text = STRALLOC_ZERO;
    static char self[PATH_MAX];
    int report = 0;

    PROG = "pneu-authd";
    for (int o; (o = subgetopt_r(argc, argv, "r", &opts)) != -1; report = 1)
        if (o != 'r')
            dieusage();
    if (argv[opts.ind])
        dieusage();
    if (report)
        return authd_report();
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        strerr_diefusys(EXIT_TEMP, "find my own path");
    d.self = self;
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!is_trusted())
        strerr_dief(EXIT_PERM, "the client is none of mine");
    if (ndelay_on(0) == -1)
        strerr_diefusys(EXIT_TEMP, "use descriptor 0");
    tain_now_set_stopwatch_g();
    if (!read_question(&text, &q))
        strerr_dief(EXIT_TEMP, "no question came");
    choose_listener(q.listener);
    if (!read_settings(&d) || !authd_limit(d.seconds))
        authd_verdict(&reply, 'Z', "settings");
    else
        authd_judge(&d, &q, &reply);
    write_answer(&reply.answer);
    return 0;
}
