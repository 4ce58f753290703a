#include "local/sandbox.h"

#include <string.h>

#include "lib/confine.h"

int
local_confine(char const *folder)
{
    /* The postmaster of a mailbox domain who has no mailbox follows alias/.qmail-postmaster. */
    struct confine_path const paths[] = {{folder, CONFINE_PATH_READ | CONFINE_PATH_WRITE},
                                         {"alias", CONFINE_PATH_READ | CONFINE_PATH_WRITE}};
    struct confine const c = {.may = CONFINE_READ | CONFINE_WRITE | CONFINE_UNIX | CONFINE_PASS | CONFINE_LOCK,
                              .paths = paths,
                              .npaths = strcmp(folder, "mail") ? 1 : 2,
                              .as = 64 << 20,
                              .nofile = 128,
                              .fsize = CONFINE_SAME,
                              .nproc = 0};

    return confine(&c);
}
