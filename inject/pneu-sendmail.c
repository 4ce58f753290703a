/* pneu-sendmail(1): the sendmail command that every mailing program knows. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>
#include <skalibs/exec.h>
#include <skalibs/sig.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "inject/arguments.h"
#include "inject/inject.h"
#include "inject/user.h"
#include "queue/layout.h"
#include "queue/trigger.h"

static int const exits[] = {
    [INJECT_QUEUED] = EX_OK,    [INJECT_USAGE] = EX_USAGE,         [INJECT_DATA] = EX_DATAERR,
    [INJECT_NOBODY] = EX_USAGE, [INJECT_REFUSED] = EX_UNAVAILABLE, [INJECT_LATER] = EX_TEMPFAIL,
    [INJECT_READ] = EX_IOERR,   [INJECT_CONFIG] = EX_CONFIG,       [INJECT_SYSTEM] = EX_OSERR,
};

/* Becomes another program of ours: the one on $PATH, else the one beside this; cron's $PATH is short. */
static void
become(char const *name)
{
    char const *const argv[] = {name, 0};
    char path[4096];
    ssize_t n;

    exec(argv);
    n = readlink("/proc/self/exe", path, sizeof path);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : 0;
    if (errno == ENOENT && slash && (size_t)(slash - path) + strlen(name) + 2 <= sizeof path) {
        strcpy(slash + 1, name);
        exec_a(path, argv);
    }
    strerr_diefusys(EX_OSFILE, "run ", name);
}

/* -bs: what tcpserver would say of a client on this host, who may send to everybody. */
static void
become_server(void)
{
    static char const *const variables[][2] = {
        {"PROTO", "TCP"},
        {"TCPLOCALIP", "127.0.0.1"},
        {"TCPLOCALHOST", "localhost"},
        {"TCPREMOTEIP", "127.0.0.1"},
        {"TCPREMOTEHOST", "localhost"},
        {"TCPREMOTEINFO", "sendmail-bs"},
        {"RELAYCLIENT", ""},
    };

    for (unsigned int i = 0; !getenv("PROTO") || i; i++) {
        if (i == sizeof variables / sizeof *variables)
            break;
        if (setenv(variables[i][0], variables[i][1], 1) == -1)
            strerr_diefusys(EX_OSERR, "set a variable");
    }
    become("pneu-smtpd");
}

static void
flush_queue(void)
{
    if (!control_home())
        strerr_diefusys(EX_CONFIG, "change into the instance ", control_homename());
    int fd = open_write(QUEUE_TRIGGER);
    if (fd == -1 && errno == ENXIO)
        strerr_dief(EX_TEMPFAIL, "pneu-send does not run");
    if (fd == -1)
        strerr_diefusys(errno == EACCES ? EX_NOPERM : EX_TEMPFAIL, "open ", QUEUE_TRIGGER);
    (void)!fd_write(fd, TRIGGER_ALL_LINE "\n", sizeof TRIGGER_ALL_LINE);
}

static void
inject(struct arguments const *a)
{
    struct inject_options o;
    struct inject i = {.o = &o};
    stralloc user = STRALLOC_ZERO;

    inject_environment(&o);
    o.from = a->header ? INJECT_BOTH : INJECT_ARGUMENTS;
    o.lists = 1;
    o.as_sender = 1;
    o.dots = !a->nodots;
    o.sender = a->sender;
    o.body = a->body;
    o.ret = a->ret;
    o.notify = a->notify;
    o.envid = a->envid.len ? a->envid.s : 0;
    o.recipients = a->rest;
    if (a->sender)
        o.name = 0;
    if (a->name)
        o.name = *a->name ? a->name : 0;
    if (!o.user)
        o.user = user_name("/etc/passwd", getuid(), &user) ? user.s : "anonymous";
    if (!a->header && !*a->rest)
        strerr_dief(EX_USAGE, "no recipient: name some, or use -t");
    enum inject_result r = inject_run(&i);
    if (r != INJECT_QUEUED)
        strerr_dief(exits[r], i.why.s ? i.why.s : "out of memory");
}

int
main(int argc, char const *const *argv)
{
    struct arguments a = ARGUMENTS_ZERO;

    (void)argc;
    PROG = "pneu-sendmail";
    if (!fd_ensure_open(2, 1) || !fd_ensure_open(1, 1) || fcntl(0, F_GETFD) == -1)
        strerr_diefusys(EX_IOERR, "read the message");
    if (sig_ignore(SIGPIPE) == -1)
        strerr_diefusys(EX_OSERR, "ignore SIGPIPE");
    if (!arguments_read(&a, argv))
        strerr_dief(EX_USAGE, a.option, *a.option ? ": " : "", a.why);
    switch (a.mode) {
    case ARGUMENTS_SMTP:
        become_server();
        break;
    case ARGUMENTS_LIST:
        become("pneu-list");
        break;
    case ARGUMENTS_FLUSH:
        flush_queue();
        break;
    case ARGUMENTS_ALIASES:
        break; /* alias/ is read as it is: there is nothing to rebuild, and that is no error */
    case ARGUMENTS_SEND:
        inject(&a);
    }
    return EX_OK;
}
