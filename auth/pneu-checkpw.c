/* pneu-checkpw(8): a checkpassword program for users/passwords. */

#include <stdlib.h>
#include <string.h>

#include <skalibs/djbunix.h>
#include <skalibs/exec.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "auth/checkpw.h"
#include "control/control.h"

#define USAGE "pneu-checkpw [-s service] prog..."
#define dieusage() strerr_dieusage(CHECKPW_MISUSE, USAGE)

#define THREE 3

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    char const *service = getenv("PNEU_SERVICE");
    struct checkpw who;
    int code;

    PROG = "pneu-checkpw";
    for (int o; (o = subgetopt_r(argc, argv, "s:", &opts)) != -1; service = opts.arg)
        if (o != 's')
            dieusage();
    argv += opts.ind;
    if (!*argv)
        dieusage();
    if (service && strcmp(service, "smtp") && strcmp(service, "pop3"))
        strerr_dief(CHECKPW_MISUSE, "no such service: ", service);
    if (!control_home())
        strerr_diefusys(CHECKPW_LATER, "change into the instance ", control_homename());
    code = checkpw_ask(THREE, service, &who);
    if (!code)
        code = checkpw_become(&who, service);
    if (code)
        return code;
    exec(argv);
    strerr_dieexec(CHECKPW_LATER, *argv);
}
