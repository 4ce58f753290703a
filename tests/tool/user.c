/* Looks addresses up in users/cdb of $PNEU_HOME: a line each, "ADDRESS found USER UID GID HOME DASH EXT", "ADDRESS unknown", or
 * "ADDRESS error TEXT". For scenario tests of pneu-users. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/users.h"

int
main(int argc, char **argv)
{
    struct user u = USER_ZERO;

    if (!control_home())
        return 111;
    for (int i = 1; i < argc; i++) {
        int got = users_find(argv[i], strlen(argv[i]), &u);
        if (got == 1)
            printf("%s found %s %u %u %s \"%s\" \"%s\"\n", argv[i], u.name, u.uid, u.gid, u.home, u.dash, u.ext);
        else
            printf("%s %s %s\n", argv[i], got ? "error" : "unknown", got ? strerror(errno) : "");
    }
    return 0;
}
