#include <sys/resource.h>

#include "lib/confine.h"
#include "send/spawn.h"

#define FILES 4096 /* three for each deliverer, and more */

int
spawn_confine(int local)
{
    struct confine_path const paths[] = {{"control", CONFINE_PATH_READ},
                                         {"users", CONFINE_PATH_READ},
                                         {"queue/lock", CONFINE_PATH_READ | CONFINE_PATH_WRITE}};
    struct confine c = {.may = CONFINE_READ | CONFINE_ACCEPT | CONFINE_PASS,
                        .paths = paths,
                        .npaths = local ? 3 : 1,
                        .as = 256 << 20,
                        .nofile = FILES,
                        .fsize = local ? CONFINE_SAME : 0,
                        .nproc = 0};
    struct rlimit now;

    if (local) /* large messages are copied to a file without a name */
        c.may |= CONFINE_WRITE;
    if (getrlimit(RLIMIT_NOFILE, &now) == -1)
        return 0;
    if (now.rlim_max < c.nofile)
        c.nofile = now.rlim_max;
    return confine(&c);
}
