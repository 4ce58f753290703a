/* pneu-bounce(8): tells the sender of one message what could not be delivered, and why. */

#include <signal.h>
#include <string.h>

#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "bounce/bounce.h"
#include "control/control.h"
#include "lib/exits.h"
#include "queue/id.h"

#define USAGE "pneu-bounce id"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

int
main(int argc, char const *const *argv)
{
    struct bounce_settings b = BOUNCE_SETTINGS_ZERO;
    char const *which;

    PROG = "pneu-bounce";
    if (argc != 2 || !id_valid(argv[1], strlen(argv[1])))
        dieusage();
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!bounce_settings(&b, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (sig_ignore(SIGPIPE) == -1 || !bounce_confine())
        strerr_diefusys(EXIT_TEMP, "confine");
    return bounce_run(&b, argv[1]);
}
