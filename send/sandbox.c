#include "send/sandbox.h"

#include "lib/confine.h"

int
sandbox_send(char const *bounce)
{
    /* badmail/ and the rest of what pneu-bounce needs stand here too: it cannot have more than its parent. */
    struct confine_path const paths[] = {
        {"queue", CONFINE_PATH_READ | CONFINE_PATH_WRITE},
        {"badmail", CONFINE_PATH_READ | CONFINE_PATH_WRITE},
        {"control", CONFINE_PATH_READ},
        {"run", CONFINE_PATH_READ},
        {bounce, CONFINE_PATH_EXEC},
    };
    struct confine const c = {
        .may = CONFINE_READ | CONFINE_WRITE | CONFINE_UNIX | CONFINE_PASS | CONFINE_LOCK | CONFINE_FORK | CONFINE_EXEC,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = 1u << 29,
        .nofile = CONFINE_SAME,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

int
sandbox_helper(void)
{
    struct confine const c = {.may = CONFINE_SYNC | CONFINE_PASS, .as = 1u << 24, .nofile = 16, .fsize = 0, .nproc = 0};

    return confine(&c);
}
