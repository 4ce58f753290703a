/* pneu-proxy(8): take the client's address from the proxy that connects for it. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/exec.h>
#include <skalibs/iopause.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "access/aside.h"
#include "access/proxy.h"
#include "control/control.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "lib/ucspi.h"

#define USAGE "pneu-proxy prog..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static ptrdiff_t
get(void *data, unsigned char *s, size_t len)
{
    iopause_fd client = {.fd = 0, .events = IOPAUSE_READ};
    int ready = iopause_g(&client, 1, data);

    return ready <= 0 ? (ready ? -1 : (errno = ETIMEDOUT, -1)) : read(0, s, len);
}

static int
read_header(void *record, void *deadline)
{
    return aside_confine(0) && proxy_read(record, get, deadline);
}

/* What was said of the proxy is not true of its client, least of all that it may relay. */
static int
forget(void)
{
    static char const *const of_peer[] = {"REMOTEHOST", "REMOTEINFO", "LOCALHOST"};
    static char const *const granted[] = {"RELAYCLIENT", "PNEU_ACCESS_RULE", "PNEU_RDNS",
                                          "PNEU_REFUSE", "PNEU_LOGIN",       "PNEU_XCLIENT"};

    for (unsigned int i = 0; i < sizeof granted / sizeof *granted; i++)
        unsetenv(granted[i]);
    if (getenv("PROTO"))
        for (unsigned int i = 0; i < sizeof of_peer / sizeof *of_peer; i++)
            if (!ucspi_set(of_peer[i], NULL))
                return 0;
    return 1;
}

static int
tell_end(char const *which, char const *whichport, struct ip const *ip, uint16_t port)
{
    char text[IP_FMT + 1], number[UINT16_FMT + 1];

    text[ip_fmt(text, ip)] = 0;
    number[uint16_fmt(number, port)] = 0;
    return ucspi_set(which, text) && ucspi_set(whichport, number);
}

static int
tell(struct proxy const *p)
{
    if (p->who != PROXY_CLIENT)
        return setenv("PNEU_PROXY", p->who == PROXY_ITSELF ? "local" : "unknown", 1) == 0 &&
               (p->who == PROXY_ITSELF || forget());
    return forget() && setenv("PROTO", "TCP", 1) == 0 && setenv("PNEU_PROXY", "client", 1) == 0 &&
           tell_end("REMOTEIP", "REMOTEPORT", &p->from, p->from_port) &&
           tell_end("LOCALIP", "LOCALPORT", &p->to, p->to_port);
}

static void
refuse(struct ip const *peer)
{
    struct log l;
    char text[IP_FMT];

    log_start(&l, "refused");
    log_bytes(&l, "peer", text, ip_fmt(text, peer));
    log_str(&l, "reason",
            errno == EPROTO      ? "no-proxy-header"
            : errno == ETIMEDOUT ? "timeout"
            : errno == EPIPE     ? "eof"
                                 : "read");
    log_end(&l);
    _exit(EXIT_PERM);
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    stralloc from = STRALLOC_ZERO;
    struct proxy header;
    uint32_t timeout;
    struct ip peer;
    tain deadline;

    PROG = "pneu-proxy";
    if (subgetopt_r(argc, argv, "", &opts) != -1 || !argv[opts.ind])
        dieusage();
    argv += opts.ind;
    unsetenv("PNEU_PROXY");
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (here == -1 || !control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (control_list(SET_proxyfrom, &from) == -1)
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_proxyfrom));
    if (!control_uint(SET_timeoutproxy, &timeout))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_timeoutproxy));
    if (fchdir(here) == -1)
        strerr_diefusys(EXIT_TEMP, "return to the folder I was started in");

    if (ucspi_remote(&peer) && ip_inlist(&peer, from.s, from.len)) {
        signal(SIGCHLD, SIG_DFL);
        tain_now_set_stopwatch_g();
        tain_addsec_g(&deadline, (int)timeout);
        if (!aside_run(read_header, &deadline, &header, sizeof header))
            refuse(&peer);
        if (!tell(&header))
            strerr_diefusys(EXIT_TEMP, "change the environment");
    }
    exec(argv);
    strerr_dieexec(EXIT_TEMP, *argv);
}
