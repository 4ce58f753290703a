/* pneu-tlsd(8): TLS between a client on descriptors 0 and 1 and a program that knows none. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/exec.h>
#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "lib/exits.h"
#include "tls/record.h"
#include "tls/tlsproxy.h"

#define USAGE "pneu-tlsd [-i] prog..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

extern char **environ;

static int
read_suites(struct tlsproxy_settings *p)
{
    stralloc names = STRALLOC_ZERO;
    int got = control_list(SET_tlsciphers, &names);

    if (got == 1 && names.len) {
        p->count = 0;
        for (char const *name = names.s; got == 1 && name < names.s + names.len; name += strlen(name) + 1) {
            uint16_t suite = tlssuite_named(name);
            if (!suite || p->count == TLSSUITE_MAX)
                got = (errno = EPROTO, -1);
            else
                p->suites[p->count++] = suite;
        }
    } else if (got != -1)
        p->count = tlssuite_default(p->suites);
    stralloc_free(&names);
    return got != -1;
}

static int
read_settings(struct tlsproxy_settings *p, enum setting *which)
{
    stralloc minimum = STRALLOC_ZERO;

    if (control_line(*which = SET_tlsminimum, &minimum) != 1)
        return 0;
    p->lowest = tlssuite_version(minimum.s);
    stralloc_free(&minimum);
    if (!p->lowest)
        return (errno = EPROTO, 0);
    return control_uint(*which = SET_timeouttls, &p->timeout) && control_uint(*which = SET_tlsaskcert, &p->ask) &&
           read_suites((*which = SET_tlsciphers, p));
}

/* SSL_ and UCSPI-TLS's variables: what was said about another connection, or by somebody else, is not true of this one. */
static int
is_ours(char const *variable)
{
    return !strncmp(variable, "SSL_", 4) || !strncmp(variable, "SSLCTLFD=", 9) ||
           !strncmp(variable, "SSLREADFD=", 10) || !strncmp(variable, "SSLWRITEFD=", 11);
}

static void
clear_environment(void)
{
    char **to = environ;

    for (char **from = environ; *from; from++)
        if (!is_ours(*from))
            *to++ = *from;
    *to = NULL;
}

/* Returns 1; 0 if the proxy has ended without a word, which it has explained. */
static int
read_record(int plain, struct record *r)
{
    unsigned char s[RECORD_MAX];
    size_t len = 0, want = RECORD_FIXED;

    while (len < want) {
        ssize_t n = recv(plain, s + len, want - len, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        len += (size_t)n;
        if (len == RECORD_FIXED)
            want = record_length(s);
    }
    if (!record_read(r, s, len))
        strerr_dief(EXIT_TEMP, "the proxy has sent something that is no record");
    return 1;
}

/* The program gets the plain side as 0 and 1. */
static void
become(char const *const *argv, int plain, struct record const *r)
{
    stralloc environment = STRALLOC_ZERO;

    if (!record_environment(r, &environment))
        strerr_diefusys(EXIT_TEMP, "make the environment");
    clear_environment();
    for (char *s = environment.s; s < environment.s + environment.len; s += strlen(s) + 1)
        if (putenv(s) != 0)
            strerr_diefusys(EXIT_TEMP, "make the environment");
    if (dup2(plain, 0) == -1 || dup2(plain, 1) == -1)
        strerr_diefusys(EXIT_TEMP, "move descriptors");
    exec(argv);
    strerr_dieexec(EXIT_TEMP, argv[0]);
}

static void
run(struct tlsproxy_settings const *settings, int here, char const *const *argv)
{
    static struct keyask keys;
    struct record record;
    int plain[2];
    pid_t pid;

    if (!keyask_open(&keys, settings->timeout))
        strerr_diefusys(EXIT_TEMP, "connect to ", "run/key");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plain) == -1)
        strerr_diefusys(EXIT_TEMP, "make a socket pair");
    pid = fork();
    if (pid == -1)
        strerr_diefusys(EXIT_TEMP, "fork");
    /* The server that started us counts this process: as the proxy it ends last, so limits hold whatever a client does. */
    if (pid) {
        close(plain[0]);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGCHLD, SIG_IGN);
        if (!tlsproxy_confine())
            strerr_diefusys(EXIT_TEMP, "confine");
        _exit(tlsproxy_run(settings, &keys, plain[1]));
    }
    close(plain[1]);
    keyask_close(&keys);
    /* The client is the proxy's alone. */
    close(0);
    close(1);
    if (!read_record(plain[0], &record))
        _exit(0);
    if (here != -1 && fchdir(here) == -1)
        strerr_diefusys(EXIT_TEMP, "change back to the folder this was started in");
    become(argv, plain[0], &record);
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct tlsproxy_settings settings = {.count = 0};
    enum setting which;
    int here = -1;

    PROG = "pneu-tlsd";
    for (int o; (o = subgetopt_r(argc, argv, "i", &opts)) != -1;)
        if (o == 'i')
            here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        else
            dieusage();
    argv += opts.ind;
    if (!*argv)
        dieusage();
    if (here != -1) /* not started by pneu-smtpd: what that has to say to itself was never said */
        unsetenv("PNEU_SMTPD_STARTTLS");
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!read_settings(&settings, &which))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(which));
    run(&settings, here, argv);
    return 0;
}
