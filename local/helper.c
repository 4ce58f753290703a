/* The helper: runs the user's programs, with the user's rights and nothing of
 * ours: descriptors 0, 1 and 2, a session of their own, a clean environment. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>
#include <skalibs/selfpipe.h>
#include <skalibs/sig.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "lib/musl.h"
#include "lib/pass.h"
#include "local/program.h"

#define ARGUMENTS 8
#define VARIABLES 40
#define OUTPUT_MAX OUTCOME_TEXT
#define LIMIT_FILES 256

struct request {
    struct bytes part[ARGUMENTS];
    unsigned int parts;
    int message;
};

struct running {
    pid_t pid;
    int output; /* -1: it has ended */
    char text[OUTPUT_MAX];
    size_t len;
};

int
helper_start(struct helper *h, char const *home, uint32_t seconds)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
        return 0;
    switch (fork()) {
    case -1:
        fd_close(fds[0]);
        fd_close(fds[1]);
        return 0;
    case 0:
        close(fds[0]);
        helper_serve(fds[1], home, seconds);
    }
    close(fds[1]);
    h->fd = fds[0];
    return 1;
}

/* ---- a program ---- */

/* The lines that the program wrote become one. */
static void
reply(int fd, char class, char const *code, struct outcome *o)
{
    char text[OUTCOME_TEXT + 32];
    size_t len = strlen(code);

    text[0] = class;
    memcpy(text + 1, code, len); // NOLINT(bugprone-not-null-terminated-result): a packet, no string
    text[1 + len] = ' ';
    size_t n = strlen(o->text);
    while (n && o->text[n - 1] == ' ')
        n--;
    memcpy(text + len + 2, o->text, n);
    if (send(fd, text, len + 2 + n, MSG_NOSIGNAL) == -1)
        _exit(0);
}

static void
split(struct bytes environment, char const *envp[static VARIABLES])
{
    unsigned int n = 0;

    for (size_t i = 0; i < environment.len && n < VARIABLES - 1;) {
        envp[n] = environment.s + i;
        i += strlen(envp[n++]) + 1;
    }
    envp[n] = 0;
}

static void
limits(void)
{
    struct rlimit files = {LIMIT_FILES, LIMIT_FILES};
    struct rlimit core = {0, 0};

    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_CORE, &core);
}

static void
child(struct request const *r, char const *home, int output)
{
    char command[HELPER_REQUEST_MAX + 1];
    char const *argv[] = {"sh", "-c", command, 0};
    char const *envp[VARIABLES];

    memcpy(command, r->part[1].s, r->part[1].len);
    command[r->part[1].len] = 0;
    split(r->part[2], envp);
    setsid();
    limits();
    sig_blocknone();
    sig_restore(SIGPIPE);
    sig_restore(SIGXFSZ);
    if (chdir(home) == -1 || lseek(r->message, 0, SEEK_SET) == -1 || dup2(r->message, 0) == -1 ||
        dup2(output, 1) == -1 || dup2(output, 2) == -1 || close_range(3, ~0U, 0) == -1)
        _exit(111);
    execve("/bin/sh", (char **)(uintptr_t)argv, (char **)(uintptr_t)envp);
    _exit(111);
}

static int
start(struct running *p, struct request const *r, char const *home)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) == -1)
        return 0;
    p->pid = fork();
    if (!p->pid)
        child(r, home, fds[1]);
    close(fds[1]);
    if (p->pid == -1 || ndelay_on(fds[0]) == -1) {
        fd_close(fds[0]);
        return 0;
    }
    p->output = fds[0];
    p->len = 0;
    return 1;
}

/* Reads what there is; what finds no room is read and forgotten, so that the
 * program is not stopped by it. */
static void
read_output(struct running *p)
{
    char more[4096];
    ssize_t n;

    while ((n = read(p->output, more, sizeof more)) > 0) {
        size_t room = OUTPUT_MAX - p->len;
        if (room > (size_t)n)
            room = (size_t)n;
        memcpy(p->text + p->len, more, room);
        p->len += room;
    }
    if (!n) {
        close(p->output);
        p->output = -1;
    }
}

/* Waits for the program's end, reading what it writes. What it left running in
 * the background may hold the pipe: that is not waited for. Returns its status;
 * -1: it took too long. */
static int
wait_program(struct running *p, int parent, int children, tain const *deadline)
{
    iopause_fd x[3] = {{.fd = children, .events = IOPAUSE_READ},
                       {.fd = parent, .events = IOPAUSE_READ},
                       {.fd = p->output, .events = IOPAUSE_READ}};
    int status;

    for (;;) {
        x[2].fd = p->output;
        int n = iopause_g(x, p->output == -1 ? 2 : 3, deadline);
        if (n == -1)
            _exit(111);
        if (x[1].revents || !n) /* the parent is gone, or time is over */
            kill(-p->pid, n ? SIGTERM : SIGKILL);
        if (x[1].revents)
            _exit(0);
        if (!n)
            return -1;
        if (p->output != -1 && x[2].revents)
            read_output(p);
        if (x[0].revents)
            while (selfpipe_read() > 0)
                ;
        pid_t got = waitpid(p->pid, &status, WNOHANG);
        if (got == p->pid) {
            if (p->output != -1)
                read_output(p);
            return status;
        }
    }
}

static void
run(struct request const *r, char const *home, int parent, int children, uint32_t seconds)
{
    struct running p;
    struct outcome o = {.class = 'Z'};
    tain deadline;

    tain_now_g();
    tain_addsec_g(&deadline, (int)seconds);
    if (!start(&p, r, home)) {
        outcome_set(&o, 'Z', "4.3.0", "Unable to run program", 0, errno);
        return reply(parent, 'Z', "4.3.0", &o);
    }
    int status = wait_program(&p, parent, children, &deadline);
    if (p.output != -1)
        close(p.output);
    outcome_add(&o, p.text, p.len);
    if (status == -1) {
        waitpid(p.pid, &status, 0);
        outcome_set(&o, 'Z', "4.3.0", "Program took too long", 0, 0);
        return reply(parent, 'Z', "4.3.0", &o);
    }
    if (WIFSIGNALED(status)) {
        outcome_set(&o, 'Z', "4.3.0", "Aack, child crashed", 0, 0);
        return reply(parent, 'Z', "4.3.0", &o);
    }
    char class = program_class(WEXITSTATUS(status));
    reply(parent, class, class == 'D' ? "5.3.0" : class == 'Z' ? "4.3.0" : "2.0.0", &o);
}

/* ---- a file outside of the home ---- */

static int
scan_numbers(char const *s, uint64_t *length, struct delivery *d, unsigned int *line)
{
    uint32_t again;
    size_t n = uint64_scan(s, length);

    if (!n || s[n] != ' ')
        return 0;
    s += n + 1;
    n = uint32_scan(s, &d->index);
    if (!n || s[n] != ' ')
        return 0;
    s += n + 1;
    n = uint32_scan(s, line);
    if (!n || s[n] != ' ' || !uint320_scan(s + n + 1, &again))
        return 0;
    d->again = (int)again;
    return 1;
}

static void
deliver_outside(struct request const *r, char const *home, int parent, struct message *m)
{
    struct delivery d = DELIVERY_ZERO;
    struct outcome o = {.class = 'Z'};
    char numbers[100];
    uint64_t length = 0;
    unsigned int line = 0;
    int done = 0;

    memcpy(numbers, r->part[2].s, r->part[2].len);
    numbers[r->part[2].len] = 0;
    d.home = home;
    d.id = r->part[3].s;
    d.message = m;
    d.homefd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d.homefd == -1 || !scan_numbers(numbers, &length, &d, &line) || !message_open(m, r->message, length) ||
        !stralloc_copyb(&d.prefix, r->part[4].s, r->part[4].len) ||
        !stralloc_copyb(&d.from, r->part[5].s, r->part[5].len))
        outcome_set(&o, 'Z', "4.3.0", "Unable to deliver", 0, errno);
    else
        done = file_deliver(&d, r->part[1].s, line, &o);
    if (done == -1)
        outcome_set(&o, 'Z', "4.2.1", "Unable to open", r->part[1].s, EACCES);
    reply(parent, done == 1 ? 'K' : 'Z', done == 1 ? "2.0.0" : o.code, &o);
    delivery_free(&d);
}

/* ---- requests ---- */

/* Returns 1, 0 if the parent is gone, -1 if that was no request. */
static int
receive(int fd, char *s, size_t size, struct request *r)
{
    ssize_t n = pass_receive(fd, s, size, &r->message);

    if (n <= 0)
        return n && errno == EMSGSIZE ? -1 : 0;
    if (r->message == -1)
        return -1;
    struct bytes rest = {s, (size_t)n};
    r->parts = 0;
    while (r->parts < ARGUMENTS && netstring_take(&rest, HELPER_REQUEST_MAX, r->part + r->parts) == 1)
        r->parts++;
    return 1;
}

void
helper_serve(int fd, char const *home, uint32_t seconds)
{
    static char space[HELPER_REQUEST_MAX];
    static struct message message;
    struct request r;
    int got;
    int children = selfpipe_init();

    /* Nobody shall look into it, or drive it, by ptrace: of that uid there are
     * programs it did not start. */
    if (children == -1 || selfpipe_trap(SIGCHLD) == -1 || prctl(PR_SET_DUMPABLE, 0) == -1)
        _exit(111);
    tain_now_set_stopwatch_g();
    while ((got = receive(fd, space, sizeof space, &r)) == 1) {
        if (r.parts == 3 && *r.part[0].s == 'P')
            run(&r, home, fd, children, seconds);
        else if (r.parts == 6 && *r.part[0].s == 'F' && r.part[2].len < 100)
            deliver_outside(&r, home, fd, &message);
        else
            _exit(101);
        close(r.message);
    }
    _exit(got ? 101 : 0);
}
