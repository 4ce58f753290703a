/* pneu-inject(1): a message from a script into the queue, its header completed (qmail-inject). */

#include <fcntl.h>
#include <signal.h>

#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "inject/inject.h"
#include "lib/exits.h"

#define USAGE "pneu-inject [ -aAhHnN ] [ -f sender ] [ recipient... ]"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static int const exits[] = {
    [INJECT_QUEUED] = 0,         [INJECT_USAGE] = EXIT_PERM,   [INJECT_DATA] = EXIT_PERM,
    [INJECT_NOBODY] = EXIT_PERM, [INJECT_REFUSED] = EXIT_PERM, [INJECT_LATER] = EXIT_TEMP,
    [INJECT_READ] = EXIT_TEMP,   [INJECT_CONFIG] = EXIT_TEMP,  [INJECT_SYSTEM] = EXIT_TEMP,
};

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct inject_options o;
    struct inject i = {.o = &o};

    PROG = "pneu-inject";
    if (!fd_ensure_open(2, 1) || !fd_ensure_open(1, 1) || fcntl(0, F_GETFD) == -1)
        strerr_diefusys(EXIT_TEMP, "read the message");
    if (sig_ignore(SIGPIPE) == -1)
        strerr_diefusys(EXIT_TEMP, "ignore SIGPIPE");
    inject_environment(&o);
    if (!o.user)
        o.user = "anonymous";
    for (int c; (c = subgetopt_r(argc, argv, "aAhHnNf:", &opts)) != -1;) {
        switch (c) {
        case 'a':
            o.from = INJECT_ARGUMENTS;
            break;
        case 'A':
            o.from = INJECT_EITHER;
            break;
        case 'h':
            o.from = INJECT_HEADER;
            break;
        case 'H':
            o.from = INJECT_BOTH;
            break;
        case 'n':
            o.print = 1;
            break;
        case 'N':
            o.print = 0;
            break;
        case 'f':
            o.sender = opts.arg;
            break;
        default:
            dieusage();
        }
    }
    o.recipients = argv + opts.ind;
    enum inject_result r = inject_run(&i);
    if (r != INJECT_QUEUED)
        strerr_dief(exits[r], i.why.s ? i.why.s : "out of memory");
    return 0;
}
