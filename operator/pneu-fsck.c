/* pneu-fsck(8): looks at every file of the queue, and puts right what is wrong. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/users.h"
#include "lib/exits.h"
#include "operator/fsck.h"
#include "operator/sandbox.h"

#define USAGE "pneu-fsck [ -n ]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static void
flush(struct fsck *f)
{
    progress_clear(&f->progress);
    if (allwrite(1, f->out.s, f->out.len) != f->out.len)
        strerr_diefusys(EXIT_TEMP, "write");
    f->out.len = 0;
}

static void
begin(struct fsck *f)
{
    uint32_t uid, gid;

    progress_begin(&f->progress);
    (void)sig_ignore(SIGPIPE);
    umask(077);
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!control_uint(SET_copytime, &f->copytime))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_copytime));
    if (geteuid() == 0) {
        if (!users_id("pneuq", &uid, &gid))
            strerr_diefusys(EXIT_TEMP, "find pneuq in users/ids");
        if (uid)
            fsck_owners(f, uid, gid);
    }
    if (!sandbox_drop())
        strerr_diefusys(EXIT_TEMP, "become pneuq");
    if (!sandbox_operator())
        strerr_diefusys(EXIT_TEMP, "confine");
}

int
main(int argc, char const *const *argv)
{
    struct fsck f = {.out = STRALLOC_ZERO, .flush = flush, .now = (uint64_t)time(0)};
    subgetopt opts = SUBGETOPT_ZERO;
    char sum[128];

    PROG = "pneu-fsck";
    for (int o; (o = subgetopt_r(argc, argv, "n", &opts)) != -1; f.dry = 1)
        if (o != 'n')
            dieusage();
    if (argv[opts.ind])
        dieusage();
    begin(&f);
    fsck_queue(&f);
    int n = snprintf(sum, sizeof sum, "%llu messages, %llu faults, %llu put right\n", (unsigned long long)f.messages,
                     (unsigned long long)f.wrong, (unsigned long long)f.mended);
    if (!stralloc_catb(&f.out, sum, (size_t)n))
        strerr_diefusys(EXIT_TEMP, "say what was found");
    flush(&f);
    return !f.left ? 0 : f.dry ? EXIT_PERM : EXIT_TEMP;
}
