#include "local/sandbox.h"

#include "lib/confine.h"

int
local_confine(char const *folder)
{
    struct confine_path const paths[] = {{folder, CONFINE_PATH_READ | CONFINE_PATH_WRITE}};
    struct confine const c = {.may = CONFINE_READ | CONFINE_WRITE | CONFINE_UNIX | CONFINE_PASS | CONFINE_LOCK,
                              .paths = paths,
                              .npaths = 1,
                              .as = 64 << 20,
                              .nofile = 128,
                              .fsize = CONFINE_SAME,
                              .nproc = 0};

    return confine(&c);
}
