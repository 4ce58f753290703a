/* checkpw_become: what checkpassword leaves to the program it runs. */

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/strerr.h>

#include "auth/checkpw.h"
#include "control/users.h"

static int
drop(struct user const *u)
{
    gid_t gid = u->gid;

    if (!u->uid) /* no mailbox is root's */
        return (errno = EPERM, 0);
    return setgroups(1, &gid) == 0 && setgid(gid) == 0 && setuid(u->uid) == 0 && chdir(u->home) == 0;
}

int
checkpw_become(struct checkpw const *who, char const *service)
{
    struct user u = USER_ZERO;
    int found = users_find(who->mailbox, strlen(who->mailbox), &u);

    if (setenv("USER", who->mailbox, 1) == -1 || setenv("PNEU_PASSWORD", who->name, 1) == -1 ||
        setenv("PNEU_RIGHTS", who->rights, 1) == -1 || setenv("SHELL", "/bin/sh", 1) == -1 ||
        setenv("HOME", found == 1 ? u.home : "/nonexistent", 1) == -1)
        return CHECKPW_LATER;
    /* Sending needs no mailbox, and no rights on one. */
    if (service && !strcmp(service, "smtp") && geteuid())
        return 0;
    if (found == -1) {
        strerr_warnwu2sys("look up ", who->mailbox);
        return CHECKPW_LATER;
    }
    if (!found)
        return CHECKPW_NO;
    if (geteuid() == 0 && !drop(&u)) {
        strerr_warnwu2sys("become the owner of ", u.home);
        return CHECKPW_LATER;
    }
    return 0;
}
