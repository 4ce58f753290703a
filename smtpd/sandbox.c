#include "smtpd/sandbox.h"

#include <errno.h>
#include <stdio.h>

#include "lib/confine.h"

/* Room for maxrcpt recipients of 1,000 bytes, and for users/cdb, which is mapped while a recipient is looked up. */
#define MEMORY 536870912
#define DESCRIPTORS 64
#define PROGRAM_MAX 1100

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

/* All that is done before TLS or XCLIENT, and the three programs in that folder that may then be run. */
static int
confine_running(char const *folder, unsigned int may)
{
    char tlsd[PROGRAM_MAX], smtpd[PROGRAM_MAX], entry[PROGRAM_MAX];
    struct confine_path const more[] = {
        paths[0], paths[1], {tlsd, CONFINE_PATH_EXEC}, {smtpd, CONFINE_PATH_EXEC}, {entry, CONFINE_PATH_EXEC},
    };
    struct confine const c = {
        .may = CONFINE_READ | CONFINE_UNIX | CONFINE_EXEC | CONFINE_SPLIT | may,
        .paths = more,
        .npaths = sizeof more / sizeof *more,
        .as = MEMORY,
        .nofile = DESCRIPTORS,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    if (snprintf(tlsd, sizeof tlsd, "%spneu-tlsd", folder) >= (int)sizeof tlsd ||
        snprintf(smtpd, sizeof smtpd, "%spneu-smtpd", folder) >= (int)sizeof smtpd ||
        snprintf(entry, sizeof entry, "%spneu-access", folder) >= (int)sizeof entry)
        return (errno = ENAMETOOLONG, 0);
    return confine(&c);
}

int
smtpd_confine_starttls(char const *folder)
{
    return confine_running(folder, 0);
}

int
smtpd_confine_listener(char const *folder)
{
    return confine_running(folder, CONFINE_ACCEPT | CONFINE_FORK | CONFINE_LESS | CONFINE_HAND);
}

int
smtpd_confine_child(int starttls)
{
    unsigned int listeners = CONFINE_ACCEPT | CONFINE_FORK | CONFINE_LESS;

    return starttls ? confine_less(listeners, CONFINE_EXEC | CONFINE_SPLIT)
                    : confine_less(listeners | CONFINE_EXEC | CONFINE_SPLIT, CONFINE_READ);
}
