#include "operator/sandbox.h"

#include <grp.h>
#include <stdint.h>
#include <unistd.h>

#include "control/users.h"
#include "lib/confine.h"
#include "queue/moves.h"

int
sandbox_drop(void)
{
    uint32_t uid, gid;

    if (geteuid() != 0)
        return 1;
    if (!users_id("pneuq", &uid, &gid))
        return 0;
    return !uid || (setgroups(1, (gid_t[]){gid}) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
}

int
sandbox_operator(void)
{
    static struct confine_path const paths[] = {{"queue", CONFINE_PATH_READ | CONFINE_PATH_WRITE}};
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_WRITE | CONFINE_LOCK,
        .paths = paths,
        .npaths = 1,
        .as = 2147483648,              /* the names of ten million messages */
        .nofile = 2 * MOVES_MOST + 32, /* each lock is a descriptor, and what was written */
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}
