/* pneu-users(8): compile the table of who gets local mail. */

#include <errno.h>

#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/userscdb.h"
#include "lib/exits.h"
#include "lib/log.h"

#define USAGE "pneu-users [-q]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct userscdb_count count = {0};
    stralloc why = STRALLOC_ZERO;
    int quiet = 0;

    PROG = "pneu-users";
    for (int o; (o = subgetopt_r(argc, argv, "q", &opts)) != -1; quiet = 1)
        if (o != 'q')
            dieusage();
    if (argv[opts.ind])
        dieusage();
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!userscdb_make(&count, &why))
        strerr_diefusys(errno == EPROTO ? EXIT_PERM : EXIT_TEMP, why.s);
    if (!quiet) {
        struct log line;
        log_start(&line, "made");
        log_uint(&line, "users", count.users);
        log_uint(&line, "assigned", count.assigned);
        log_uint(&line, "aliases", count.aliases);
        log_uint(&line, "mailboxes", count.mailboxes);
        log_end(&line);
    }
    return 0;
}
