/* pneu-bounce(8): tells the sender of one message what could not be delivered, and why; what was; what is late. */

#include <signal.h>
#include <string.h>

#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "bounce/bounce.h"
#include "control/control.h"
#include "lib/exits.h"
#include "queue/id.h"

#define USAGE "pneu-bounce [ -d number | -s ] id"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

int
main(int argc, char const *const *argv)
{
    struct bounce_settings b = BOUNCE_SETTINGS_ZERO;
    subgetopt opts = SUBGETOPT_ZERO;
    enum report_of of = OF_FAILURE;
    unsigned int notice = 0;
    char const *which;

    PROG = "pneu-bounce";
    for (int o; (o = subgetopt_r(argc, argv, "d:s", &opts)) != -1;) {
        if (of != OF_FAILURE || (o != 'd' && o != 's') || (o == 'd' && !uint0_scan(opts.arg, &notice)))
            dieusage();
        of = o == 'd' ? OF_DELAY : OF_SUCCESS;
    }
    argv += opts.ind;
    argc -= opts.ind;
    if (argc != 1 || !id_valid(*argv, strlen(*argv)))
        dieusage();
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!bounce_settings(&b, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (sig_ignore(SIGPIPE) == -1 || !bounce_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    return bounce_run(&b, of, notice, *argv);
}
