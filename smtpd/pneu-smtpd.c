/* pneu-smtpd(8): an SMTP server for one client, on descriptors 0 and 1. */

#include <signal.h>
#include <stdlib.h>

#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "smtpd/connection.h"

#define USAGE "pneu-smtpd [-l]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

int
main(int argc, char const *const *argv)
{
    struct connection c = CONNECTION_ZERO;
    subgetopt opts = SUBGETOPT_ZERO;

    PROG = "pneu-smtpd";
    for (int o; (o = subgetopt_r(argc, argv, "l", &opts)) != -1;) {
        if (o != 'l')
            dieusage();
        if (setenv("PNEU_KIND", "lmtp", 1) == -1)
            strerr_diefusys(EXIT_TEMP, "set PNEU_KIND");
    }
    if (argv[opts.ind])
        dieusage();
    signal(SIGPIPE, SIG_IGN);
    if (!control_home()) {
        connection_later("421 4.3.0 my home is missing\r\n");
        strerr_diefusys(EXIT_TEMP, "change to the instance's folder");
    }
    return connection(&c);
}
