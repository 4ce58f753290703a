/* authd_run: a checkpassword program for one login. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/exec.h>
#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "auth/authd.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "lib/monotonic.h"
#include "lib/sasl.h"

#define THREE_MAX 512   /* bytes a checkpassword program reads from descriptor 3 */
#define REPORT_MAX 1024 /* of what `pneu-authd -r` says */
#define WORDS_MAX 64    /* of the program's command line */
#define UNSTARTED 125   /* the child's exit code if the program cannot be run; checkpassword has no such code */

/* ---- the child ---- */

static int
put_variable(char const *name, struct bytes value)
{
    char text[256];

    if (!value.len)
        return unsetenv(name) == 0;
    if (value.len >= sizeof text || memchr(value.s, 0, value.len))
        return 0;
    memcpy(text, value.s, value.len);
    text[value.len] = 0;
    return setenv(name, text, 1) == 0;
}

static int
environment(struct auth_question const *q)
{
    static char const *const stale[] = {"USER", "PNEU_RIGHTS", "PNEU_PASSWORD"};

    for (unsigned int i = 0; i < sizeof stale / sizeof *stale; i++)
        if (unsetenv(stale[i]) == -1)
            return 0;
    return put_variable("PNEU_SERVICE", q->service) && setenv("PROTO", "TCP", 1) == 0 &&
           put_variable("TCPREMOTEIP", q->client) && put_variable("PNEU_SERVER", q->listener) &&
           put_variable("SSL_PROTOCOL", q->tls);
}

/* Never returns. */
static void
child(struct authd const *d, struct auth_question const *q, int three, int report)
{
    char const *argv[WORDS_MAX + 3];
    size_t n = 0;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    for (char const *s = d->checkpassword.s; s < d->checkpassword.s + d->checkpassword.len; s += strlen(s) + 1) {
        if (n == WORDS_MAX)
            _exit(UNSTARTED);
        argv[n++] = s;
    }
    argv[n++] = d->self;
    argv[n++] = "-r";
    argv[n] = NULL;
    /* Neither may stand where the other shall go. */
    three = fcntl(three, F_DUPFD_CLOEXEC, 4);
    report = fcntl(report, F_DUPFD_CLOEXEC, 4);
    if (n == 2 || null == -1 || three == -1 || report == -1 || !environment(q) || dup2(null, 0) == -1 ||
        dup2(report, 1) == -1 || dup2(three, 3) == -1)
        _exit(UNSTARTED);
    exec(argv);
    strerr_warnwu2sys("run ", argv[0]);
    _exit(UNSTARTED);
}

/* ---- the parent ---- */

/* Reads what is reported until everybody has closed it. Returns how much, or -1: the time is up. */
static ssize_t
read_report(int fd, char report[static REPORT_MAX], int64_t end)
{
    size_t len = 0;

    for (;;) {
        char rest[256];
        struct pollfd x = {.fd = fd, .events = POLLIN};
        int64_t left = end - monotonic_ms();
        int n = left > 0 ? poll(&x, 1, (int)left) : 0;
        if (!n)
            return -1;
        if (n == -1 && errno == EINTR)
            continue;
        int room = len < REPORT_MAX;
        ssize_t got = read(fd, room ? report + len : rest, room ? REPORT_MAX - len : sizeof rest);
        if (got == 0 || (got == -1 && errno != EINTR))
            return (ssize_t)len;
        if (got > 0 && room)
            len += (size_t)got;
        if (got > 0 && !room) /* it shall not block on us, and is no report */
            len = REPORT_MAX;
    }
}

static void
log_trouble(struct authd const *d, struct authd_reply const *r, char const *what)
{
    struct log l;

    log_start(&l, "trouble");
    log_str(&l, "program", d->checkpassword.len ? d->checkpassword.s : "none");
    log_bytes(&l, "login", r->login.s, r->login.len);
    log_str(&l, "what", what);
    log_end(&l);
}

/* "USER", "PASSWORD", "RIGHTS". */
static int
take_report(struct bytes in, struct authd_reply *r)
{
    struct bytes user, name, rights;
    int bare = !memchr(r->login.s, '@', r->login.len);

    if (netstring_take(&in, REPORT_MAX, &user) != 1 || netstring_take(&in, REPORT_MAX, &name) != 1 ||
        netstring_take(&in, REPORT_MAX, &rights) != 1 || in.len)
        return 0;
    /* The program may know a better name of him; a local part alone is no better one of an address. */
    if (user.len && sasl_login(user) && (bare || memchr(user.s, '@', user.len)) &&
        !stralloc_copyb(&r->login, user.s, user.len))
        return 0;
    return stralloc_copyb(&r->name, name.s ? name.s : "", name.len) &&
           stralloc_copyb(&r->rights, rights.s ? rights.s : "", rights.len);
}

static void
judge(struct authd const *d, int status, struct bytes report, struct authd_reply *r)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (code == 0 && take_report(report, r))
        authd_verdict(r, 'K', "");
    else if (code == 1)
        authd_verdict(r, 'D', "password");
    else {
        log_trouble(d, r,
                    code == 0           ? "ran-nothing"
                    : code == UNSTARTED ? "not-started"
                    : code == 2         ? "misused"
                    : code == 111       ? "temporary"
                    : code == -1        ? "killed"
                                        : "exit");
        authd_verdict(r, 'Z', "program");
    }
}

static void
wait_and_judge(struct authd const *d, pid_t pid, int report, struct authd_reply *r)
{
    char text[REPORT_MAX];
    int64_t end = monotonic_ms() + (int64_t)d->seconds * 1000;
    ssize_t len = read_report(report, text, end);
    int status = EXIT_TEMP << 8;

    /* Who has closed descriptor 1 may still be at work; but not for longer. */
    while (len != -1 && waitpid(pid, &status, WNOHANG) == 0)
        if (monotonic_ms() >= end)
            len = -1;
        else
            poll(NULL, 0, 1);
    if (len != -1) {
        judge(d, status, (struct bytes){text, (size_t)len}, r);
        return;
    }
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    log_trouble(d, r, "timeout");
    authd_verdict(r, 'Z', "timeout");
}

void
authd_run(struct authd const *d, struct auth_question const *q, struct bytes login, struct bytes password,
          struct authd_reply *r)
{
    char text[THREE_MAX], stamp[UINT64_FMT];
    size_t n = uint64_fmt(stamp, (uint64_t)time(NULL));
    int three[2], report[2];
    pid_t pid;

    if (login.len + password.len + n + 3 > sizeof text) {
        authd_verdict(r, 'D', "long");
        return;
    }
    memcpy(text, login.s, login.len);
    text[login.len] = 0;
    memcpy(text + login.len + 1, password.s, password.len);
    text[login.len + 1 + password.len] = 0;
    memcpy(text + login.len + password.len + 2, stamp, n);
    n += login.len + password.len + 2;
    text[n++] = 0;
    authd_verdict(r, 'Z', "program");
    if (pipe2(three, O_CLOEXEC) == -1 || pipe2(report, O_CLOEXEC) == -1)
        return;
    int sent = allwrite(three[1], text, n) == n; /* a pipe holds more */
    close(three[1]);
    explicit_bzero(text, sizeof text);
    pid = sent ? fork() : -1;
    if (!pid)
        child(d, q, three[0], report[1]);
    close(three[0]);
    close(report[1]);
    if (pid == -1)
        log_trouble(d, r, "fork");
    else
        wait_and_judge(d, pid, report[0], r);
    close(report[0]);
}

int
authd_report(void)
{
    static char const *const names[] = {"USER", "PNEU_PASSWORD", "PNEU_RIGHTS"};
    stralloc text = STRALLOC_ZERO;

    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++) {
        char const *value = getenv(names[i]);
        size_t len = value ? strnlen(value, 256) : 0;
        if (len == 256 || !netstring_put(&text, value ? value : "", len))
            return EXIT_TEMP;
    }
    return allwrite(1, text.s, text.len) == text.len ? 0 : EXIT_TEMP;
}
