/* pneu-instance(8): make an instance, or put right what is missing in one. */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/instance.h"
#include "lib/durable.h"
#include "lib/exits.h"

#define USAGE "pneu-instance [-fq] dir"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static void
say(char const *what, char const *which)
{
    strerr_warn(PROG, ": ", what, " ", which);
}

/* useradd is not in every user's path, and root's under su need not have it either. */
static int
find_useradd(void)
{
    char const *path = getenv("PATH");
    stralloc longer = STRALLOC_ZERO;

    return stralloc_cats(&longer, path ? path : "/usr/bin:/bin") && stralloc_cats(&longer, ":/usr/sbin:/sbin") &&
           stralloc_0(&longer) && setenv("PATH", longer.s, 1) == 0;
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    int unsafe = 0, quiet = 0;
    char const *name;

    PROG = "pneu-instance";
    for (int o; (o = subgetopt_r(argc, argv, "fq", &opts)) != -1;)
        switch (o) {
        case 'f':
            unsafe = 1;
            break;
        case 'q':
            quiet = 1;
            break;
        default:
            dieusage();
        }
    argv += opts.ind;
    if (!argv[0] || argv[1])
        dieusage();
    if (!find_useradd())
        strerr_diefusys(EXIT_TEMP, "set PATH");
    (void)umask(022);
    if (durable_mkdir(argv[0], 0755) == -1)
        strerr_diefusys(EXIT_TEMP, "make folder ", argv[0]);
    if (chdir(argv[0]) == -1)
        strerr_diefusys(EXIT_TEMP, "change to folder ", argv[0]);
    if (!quiet)
        op.changed = say;
    if (!instance_make(&op, unsafe)) {
        if (errno == EXDEV)
            strerr_dief(EXIT_PERM, "refused to ", op.why.s,
                        " keeps no promise after a power cut (-f takes it all the same)");
        strerr_diefusys(EXIT_TEMP, op.why.s);
    }
    if (instance_filesystem("queue", &name) != 1)
        strerr_warnw("the queue lies on ", name, ", mail there may not survive a power cut");
    return 0;
}
