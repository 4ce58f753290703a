/* pneu-server(8): add, delete, pause, start and list listeners. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/listener.h"
#include "lib/exits.h"

#define USAGE                                                                                                          \
    "pneu-server [-q] add name kind address port | del name | "                                                        \
    "pause name | stop name | start name | list"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static void
say(char const *what, char const *which)
{
    strerr_warn(PROG, ": ", what, " ", which);
}

static void
check(char const *name)
{
    if (!service_name(name))
        strerr_dief(EXIT_PERM, "no name for a listener: ", name);
}

static int
add(struct operation *op, char const *const *argv)
{
    check(argv[0]);
    switch (listener_check(argv[1], argv[2], argv[3])) {
    case LISTENER_KIND:
        strerr_dief(EXIT_PERM, "no kind of listener: ", argv[1], "; there are: " LISTENER_KINDS);
    case LISTENER_ADDRESS:
        strerr_dief(EXIT_PERM, "no IP address: ", argv[2]);
    case LISTENER_PORT:
        strerr_dief(EXIT_PERM, "no port from 1 to 65535: ", argv[3]);
    default:
        if (listener_taken(argv[0], argv[1], argv[2], argv[3]))
            strerr_warnw("something else listens on ", argv[2], " port ", argv[3],
                         "; this listener begins when that ends");
        return listener_add(op, argv[0], argv[1], argv[2], argv[3]);
    }
}

static int
list(struct operation *op)
{
    stralloc text = STRALLOC_ZERO;

    if (!listener_list(op, &text))
        return 0;
    if ((text.len && fwrite(text.s, 1, text.len, stdout) != text.len) || fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
    return 1;
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    int quiet = 0, good;

    PROG = "pneu-server";
    for (int o; (o = subgetopt_r(argc, argv, "q", &opts)) != -1; quiet = 1)
        if (o != 'q')
            dieusage();
    argv += opts.ind;
    argc -= opts.ind;
    int adding = argc == 5 && !strcmp(argv[0], "add");
    int deleting = argc == 2 && !strcmp(argv[0], "del");
    int pausing = argc == 2 && !strcmp(argv[0], "pause");
    int stopping = argc == 2 && !strcmp(argv[0], "stop");
    int starting = argc == 2 && !strcmp(argv[0], "start");
    if (!adding && !deleting && !pausing && !stopping && !starting && (argc != 1 || strcmp(argv[0], "list")))
        dieusage();
    (void)umask(022);
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!service_operation(&op))
        strerr_diefusys(EXIT_TEMP, op.why.s, " (pneu-instance makes an instance)");
    if (!quiet)
        op.changed = say;
    if (argc == 2)
        check(argv[1]);
    good = adding                ? add(&op, argv + 1)
           : deleting            ? listener_delete(&op, argv[1])
           : pausing || stopping ? listener_pause(&op, argv[1], stopping)
           : starting            ? listener_start(&op, argv[1])
                                 : list(&op);
    if (!good)
        strerr_diefusys(errno == ENOENT || errno == EEXIST ? EXIT_PERM : EXIT_TEMP, op.why.s);
    return 0;
}
