/* pneu-smtplisten(8): accepts connections on descriptor 0 and serves each as pneu-smtpd does, in a forked child. */

#include <stdlib.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "smtpd/listen.h"
#include "smtpd/sandbox.h"
#include "smtpd/starttls.h"

#define USAGE "pneu-smtplisten"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

int
main(int argc, char const *const *argv)
{
    static struct listen l;
    struct serve s;
    char const *which;
    char folder[STARTTLS_PATH_MAX];
    int signals;

    PROG = "pneu-smtplisten";
    (void)argv;
    if (argc != 1)
        dieusage();
    if (!fd_sanitize())
        strerr_diefusys(EXIT_TEMP, "open /dev/null");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!listen_settings(&l, &which))
        strerr_diefusys(EXIT_TEMP, "read ", which);
    if (!starttls_folder(folder))
        strerr_diefusys(EXIT_TEMP, "find the programs");
    listen_init(&l, folder, &s);
    signals = serve_init(&s);
    if (signals == -1)
        strerr_diefusys(EXIT_TEMP, "make room for connections");
    PROG = "pneu-smtpd"; /* in the log the connections have the name they have under any server */
    if (!smtpd_confine_listener(folder))
        strerr_diefusys(EXIT_TEMP, "confine");
    if (!serve_run(&s, signals))
        strerr_diefusys(EXIT_TEMP, "serve descriptor 0");
    return 0;
}
