/* pneu-bind(8): makes a listening TCP socket its descriptor 0 and becomes another program. */

#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/exec.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "lib/exits.h"
#include "smtpd/bind.h"

#define USAGE "pneu-bind [-b backlog] address port prog..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)
#define BACKLOG 128

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    unsigned int backlog = BACKLOG;

    PROG = "pneu-bind";
    for (int o; (o = subgetopt_r(argc, argv, "b:", &opts)) != -1;)
        if (o != 'b' || !uint0_scan(opts.arg, &backlog) || backlog > INT32_MAX)
            dieusage();
    argc -= opts.ind;
    argv += opts.ind;
    if (argc < 3)
        dieusage();
    switch (bind_listen(argv[0], argv[1], (int)backlog)) {
    case 0:
        strerr_dief(EXIT_PERM, "not an address and a port: ", argv[0], " ", argv[1]);
    case -1:
        strerr_diefusys(EXIT_TEMP, "listen on ", argv[0], " port ", argv[1]);
    default:
        xexec(argv + 2);
    }
}
