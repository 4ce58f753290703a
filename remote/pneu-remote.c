/* pneu-remote(8): mail to another host, by SMTP. */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>

#include "control/control.h"
#include "lib/exits.h"
#include "remote/jobs.h"
#include "remote/sandbox.h"
#include "remote/single.h"

#define USAGE "pneu-remote -j | pneu-remote host sender recipient..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

/* qmail-remote's way: whatever happens is said on descriptor 1, and the exit code is 0. */
static int
single(struct deliver *all, char const *const *argv)
{
    uint64_t offset;
    uint64_t length;
    int message;

    if (!argv[0] || !argv[1] || !argv[2])
        return single_fail('D', "pneu-remote was invoked improperly. (#5.3.5)\n"), 0;
    if (!control_home())
        return single_fail('Z', "Unable to switch to home directory. (#4.3.0)\n"), 0;
    if (!deliver_init(all))
        return single_fail('Z', "Unable to read control files. (#4.3.0)\n"), 0;
    message = single_message(0, &offset, &length);
    if (message == -1)
        return single_fail('Z', "Unable to read message. (#4.3.0)\n"), 0;
    if (!remote_confine())
        return single_fail('Z', "Unable to confine myself. (#4.3.0)\n"), 0;
    if (!single_send(all, argv[0], argv[1], argv + 2, message, offset, length))
        single_fail('Z', "Out of memory. (#4.3.0)\n");
    return 0;
}

int
main(int argc, char const *const *argv)
{
    static struct deliver all = DELIVER_ZERO;
    subgetopt opts = SUBGETOPT_ZERO;
    int jobs = 0;

    PROG = "pneu-remote";
    for (int o; (o = subgetopt_r(argc, argv, "j", &opts)) != -1; jobs = 1)
        if (o != 'j')
            dieusage();
    argv += opts.ind;
    signal(SIGPIPE, SIG_IGN);
    tain_now_set_stopwatch_g();
    if (!jobs)
        return single(&all, argv);
    if (*argv)
        dieusage();
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!deliver_init(&all))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_nameserver), " or /etc/resolv.conf");
    if (!remote_confine())
        strerr_diefusys(EXIT_TEMP, "confine myself");
    if (!jobs_serve(&all, 0))
        strerr_diefusys(EXIT_TEMP, "serve jobs");
    return 0;
}
