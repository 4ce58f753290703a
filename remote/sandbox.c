#include "remote/sandbox.h"

#include "lib/confine.h"

/* A job of JOB_MAX bytes, its commands and its results at the same time, and what the largest control file takes. */
#define MEMORY 268435456
#define DESCRIPTORS 80 /* of jobs that came together; one connection, one socket to a resolver */

int
remote_confine(void)
{
    static struct confine_path const paths[] = {{"control", CONFINE_PATH_READ}};
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_INET | CONFINE_PASS,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = MEMORY,
        .nofile = DESCRIPTORS,
        .fsize = CONFINE_SAME, /* its report may go into a file */
        .nproc = 0,
    };

    return confine(&c);
}
