#include "smtpd/sandbox.h"

#include "lib/confine.h"

/* Room for maxrcpt recipients of 1,000 bytes, and for users/cdb, which is mapped while a recipient is looked up. */
#define MEMORY 536870912
#define DESCRIPTORS 64

/* No limit on the size of files: descriptor 1 may be one, and nothing else can be opened for writing. */
int
smtpd_confine(void)
{
    static struct confine_path const paths[] = {
        {"control", CONFINE_PATH_READ},
        {"users", CONFINE_PATH_READ},
    };
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
