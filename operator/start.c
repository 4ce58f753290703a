#include "operator/start.h"

#include <errno.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "operator/sandbox.h"

int
start_filter(struct select *s, int option, char const *arg)
{
    int got = select_option(s, option, arg);

    if (got == -1 && errno == EINVAL)
        strerr_dief(EXIT_PERM, "wrong value of an option: ", arg);
    if (got == -1)
        strerr_diefusys(EXIT_TEMP, "take an option");
    return got;
}

void
start_ids(struct select *s, char const *const *argv)
{
    for (; *argv; argv++)
        if (!select_id(s, *argv))
            strerr_dief(EXIT_PERM, *argv, " is no message ID");
}

void
start_inside(int (*confine)(void))
{
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!sandbox_drop())
        strerr_diefusys(EXIT_TEMP, "become pneuq");
    if (!confine())
        strerr_diefusys(EXIT_TEMP, "confine");
}
