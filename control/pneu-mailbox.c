/* pneu-mailbox(8): add, delete and list the mailboxes of virtual users. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/mailbox.h"
#include "lib/exits.h"

#define USAGE "pneu-mailbox [-q] add address... | del address... | list"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static void
say(char const *what, char const *which)
{
    strerr_warn(PROG, ": ", what, " ", which);
}

static void
die(struct operation const *op)
{
    int permanent = errno == ENOENT || errno == ENOTEMPTY || errno == EPROTO || errno == EINVAL;

    strerr_diefusys(permanent ? EXIT_PERM : EXIT_TEMP, op->why.len ? op->why.s : "remember what to do");
}

static void
change(struct operation *op, int add, char const *address)
{
    stralloc user = STRALLOC_ZERO, domain = STRALLOC_ZERO, moved = STRALLOC_ZERO;

    if (!mailbox_scan(address, &user, &domain)) {
        if (errno != EPROTO)
            strerr_diefusys(EXIT_TEMP, "read the address");
        strerr_dief(EXIT_PERM, "no address of a mailbox: ", address);
    }
    if (!(add ? mailbox_add(op, user.s, domain.s) : mailbox_delete(op, user.s, domain.s, &moved)))
        die(op);
    if (moved.len && op->changed)
        op->changed("moved the mailbox to", moved.s);
}

static void
list(struct operation *op)
{
    stralloc addresses = STRALLOC_ZERO;

    if (!mailbox_list(op, &addresses))
        die(op);
    for (size_t at = 0; at < addresses.len; at += strlen(addresses.s + at) + 1)
        puts(addresses.s + at);
    if (fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    int quiet = 0;

    PROG = "pneu-mailbox";
    for (int o; (o = subgetopt_r(argc, argv, "q", &opts)) != -1; quiet = 1)
        if (o != 'q')
            dieusage();
    argv += opts.ind;
    int listing = argv[0] && !strcmp(argv[0], "list");
    if (!argv[0] || (listing ? !!argv[1] : !argv[1] || (strcmp(argv[0], "add") && strcmp(argv[0], "del"))))
        dieusage();
    (void)umask(022);
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!service_operation(&op))
        strerr_diefusys(EXIT_TEMP, op.why.s, " (pneu-instance makes an instance)");
    if (!quiet)
        op.changed = say;
    if (listing)
        list(&op);
    else
        for (char const *const *address = argv + 1; *address; address++)
            change(&op, !strcmp(argv[0], "add"), *address);
    return 0;
}
