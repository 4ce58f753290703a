#include "smtpd/sandbox.h"

#include "lib/confine.h"

/* Room for maxrcpt recipients of 1,000 bytes, and for users/cdb, which is mapped while a recipient is looked up. */
#define MEMORY 536870912
#define DESCRIPTORS 64

/* No limit on the size of files: descriptor 1 may be one, and nothing else can be opened for writing. */
static struct confine_path const paths[] = {
    {"control", CONFINE_PATH_READ},
    {"users", CONFINE_PATH_READ},
};

int
smtpd_confine(void)
{
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_UNIX,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = MEMORY,
        .nofile = DESCRIPTORS,
        .fsize = CONFINE_SAME,
        .nproc = 0,
    };

    return confine(&c);
}

int
smtpd_confine_listener(void)
{
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_UNIX | CONFINE_ACCEPT | CONFINE_FORK | CONFINE_LESS,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = MEMORY,
        .nofile = DESCRIPTORS,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

int
smtpd_confine_child(void)
{
    return confine_less(CONFINE_ACCEPT | CONFINE_FORK | CONFINE_LESS);
}
