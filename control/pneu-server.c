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
    "pause name | stop name | start name | restart name | status name | list"
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

static void
print(stralloc const *text)
{
    if ((text->len && fwrite(text->s, 1, text->len, stdout) != text->len) || fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
}

static int
list(struct operation *op, char const *const *argv)
{
    stralloc text = STRALLOC_ZERO;

    (void)argv;
    if (!listener_list(op, &text))
        return 0;
    print(&text);
    return 1;
}

static int
status(struct operation *op, char const *const *argv)
{
    stralloc text = STRALLOC_ZERO;
    int up;

    if (!listener_status(argv[0], &text, &up))
        return service_failed(op, "tell of ", argv[0]);
    print(&text);
    _exit(up ? 0 : EXIT_TEMP);
}

static int
del(struct operation *op, char const *const *argv)
{
    return listener_delete(op, argv[0]);
}

static int
halt(struct operation *op, char const *const *argv)
{
    return listener_pause(op, argv[0], 0);
}

static int
stop(struct operation *op, char const *const *argv)
{
    return listener_pause(op, argv[0], 1);
}

/* What runs starts anew. */
static int
start(struct operation *op, char const *const *argv)
{
    return listener_start(op, argv[0]);
}

static struct {
    char const *name;
    int words;
    int (*run)(struct operation *, char const *const *argv);
} const verbs[] = {
    {"add", 5, add},     {"del", 2, del},       {"pause", 2, halt},    {"stop", 2, stop},
    {"start", 2, start}, {"restart", 2, start}, {"status", 2, status}, {"list", 1, list},
};

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    unsigned int verb = 0;
    int quiet = 0;

    PROG = "pneu-server";
    for (int o; (o = subgetopt_r(argc, argv, "q", &opts)) != -1; quiet = 1)
        if (o != 'q')
            dieusage();
    argv += opts.ind;
    argc -= opts.ind;
    while (verb < sizeof verbs / sizeof *verbs && (argc != verbs[verb].words || strcmp(argv[0], verbs[verb].name) != 0))
        verb++;
    if (verb == sizeof verbs / sizeof *verbs)
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
    if (argc == 2 && !listener_is(argv[1]))
        strerr_dief(EXIT_PERM, "there is no listener ", argv[1], "; pneu-server list shows them");
    if (!verbs[verb].run(&op, argv + 1))
        strerr_diefusys(errno == ENOENT || errno == EEXIST ? EXIT_PERM : EXIT_TEMP, op.why.s);
    return 0;
}
