/* Replays SMTP dialogues against pneu-smtpd: talk FILE...
 *
 * A file holds dialogues, each begun by "== NAME"; lines before the first hold for all of them. Each dialogue gets a
 * fresh instance with a queue that only collects, and is one test. '#' begins a comment.
 *
 *   set NAME VALUE     a setting                       env NAME=VALUE     env -NAME
 *   user NAME          a local user, beside joe        mailbox ADDRESS    beside alice@pneu.test
 *   alias NAME LINES   alias/.qmail-NAME holds these lines, \n between them
 *   nocdb              there is no users/cdb           pipes              two pipes, not a socketpair
 *   exit N             it shall exit with N            open|end ANSWER    the queue's answers
 *   hookd                     pneu-hookd is there, and runs the programs of settings such as rcptcheck
 *   auth C|DATA|LOGIN|NAME|RIGHTS|REASON              pneu-authd's next answer (lib/auth.h); without one it is not there
 *   noqueue  hangup  once                              the queue is not there, dies, closes after each message
 *
 *   C: text   sends it and CR LF                       C+ text   the same, but waits for what is sent next
 *   R: text   sends the bytes alone                    R+ text
 *   X: N text   N times the bytes                      X+ N text
 *   S: text   the next reply is there, and one of its lines begins so; "250 " begins "250-" too
 *   S& text   so does another line of that reply       S! text   none does
 *   P:        waits until everything sent was read     H:        no more will be sent
 *   E:        the server hangs up, without another word
 *
 * And when it has ended: without E: it must have no more to say.
 *
 *   Q: N        so many messages are in the queue
 *   M: N text   message N holds it                     M! N text  it does not
 *   B: N text   behind its trace field, message N is that and nothing else
 *   V: N text   its envelope has that record           V! N text
 *   A: N text   the Nth question to pneu-authd is that: its parts with '|' between
 *   L: text     the log holds it                       L! text
 *
 * In texts \r \n \t \0 \\ \xNN and \s (a blank at the end of a line). */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/cdbmake.h>
#include <skalibs/djbunix.h>
#include <skalibs/stralloc.h>

#include "control/members.h"
#include "lib/netstring.h"
#include "tests/tap.h"
#include "tests/tool/fakeauth.h"
#include "tests/tool/fakequeue.h"

#define WAIT_MS 60000

struct script {
    char **lines;
    size_t count;
};

struct talk {
    char const *file, *name;
    size_t line;
    char home[64];
    int fd_to, fd_from; /* of the program */
    pid_t program, queue, hookd, authd;
    stralloc pending; /* to be sent */
    stralloc got;     /* replies not yet taken */
    stralloc reply;   /* the last one */
    struct fakequeue fake;
    struct fakeauth auth;
    int pipes, nocdb, noqueue, hooked, failed, started;
    int want_exit;
};

static void
die(char const *what)
{
    printf("Bail out! talk: %s: %s\n", what, strerror(errno));
    exit(111);
}

__attribute__((format(printf, 2, 3))) static void
complain(struct talk *t, char const *format, ...)
{
    va_list ap;
    char text[4000];

    t->failed++;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *p = text; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '~';
    printf("# %s:%zu: %s\n", t->file, t->line, text);
}

/* ---- texts ---- */

static int
hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

static void
unescape(stralloc *to, char const *s)
{
    static char const names[] = "rnt0s\\", bytes[] = "\r\n\t\0 \\";

    for (; *s; s++) {
        char c = *s;
        char const *p = c == '\\' && s[1] ? strchr(names, s[1]) : NULL;
        if (p) {
            c = bytes[p - names];
            s++;
        } else if (c == '\\' && s[1] == 'x') {
            c = (char)(hex(s[2]) << 4 | hex(s[3]));
            s += 3;
        }
        if (!stralloc_append(to, c))
            die("memory");
    }
}

static int
holds(stralloc const *in, stralloc const *what)
{
    return memmem(in->s ? in->s : "", in->len, what->s ? what->s : "", what->len) != NULL;
}

/* ---- the instance ---- */

static char const *
path(struct talk *t, char const *name)
{
    static char s[512];

    snprintf(s, sizeof s, "%s/%s", t->home, name);
    return s;
}

static void
write_setting(struct talk *t, char const *name, char const *value)
{
    char file[300];
    stralloc text = STRALLOC_ZERO;

    snprintf(file, sizeof file, "control/%s", name);
    for (char *slash = strchr(file + 8, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path(t, file), 0755);
        *slash = '/';
    }
    unescape(&text, value);
    if (!stralloc_append(&text, '\n') || !openwritenclose_unsafe(path(t, file), text.s, text.len))
        die(file);
    stralloc_free(&text);
}

static void
add_user(cdbmaker *c, char const *address)
{
    static char const entry[] = "joe\0"
                                "1000\0"
                                "1000\0"
                                "/nonexistent\0"
                                "\0"
                                "\0";
    char key[300];
    int len = snprintf(key, sizeof key, "!%s", address);

    if (!cdbmake_add(c, key, (uint32_t)len + 1, entry, sizeof entry - 1))
        die("users/cdb");
}

static void
add_alias(struct talk *t, cdbmaker *c, char const *words)
{
    char name[100], key[110], file[200], entry[300];
    char const *blank = strchr(words, ' ');
    stralloc text = STRALLOC_ZERO;

    snprintf(name, sizeof name, "%.*s", (int)(blank ? blank - words : (long)strlen(words)), words);
    int keylen = snprintf(key, sizeof key, "!%s", name);
    int len = snprintf(entry, sizeof entry, "alias%c1000%c1000%c/nonexistent%c-%c%s", 0, 0, 0, 0, 0, name);
    if (!cdbmake_add(c, key, (uint32_t)keylen + 1, entry, (uint32_t)len + 1))
        die("users/cdb");
    snprintf(file, sizeof file, "alias/.qmail-%s", name);
    for (char *dot = strchr(file + 13, '.'); dot; dot = strchr(dot, '.'))
        *dot = ':';
    unescape(&text, blank ? blank + 1 : "");
    if (!openwritenclose_unsafe(path(t, file), text.s ? text.s : "", text.len))
        die(file);
    /* what pneu-users makes of it, later than in the tick of the file */
    struct timespec const before[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    if (utimensat(AT_FDCWD, path(t, file), before, 0) == -1)
        die(file);
    text.len = 0;
    if (!stralloc_cats(&text, file) || !stralloc_0(&text) || !members_scan(path(t, file), &text))
        die("memory");
    *key = '&';
    if (!cdbmake_add(c, key, (uint32_t)keylen, text.s, (uint32_t)text.len))
        die("users/cdb");
    stralloc_free(&text);
}

/* The lines that describe the instance; the others are skipped. */
static void
make_users(struct talk *t, struct script const *parts[2])
{
    cdbmaker c = CDBMAKER_ZERO;
    int fd = open(path(t, "users/cdb"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd == -1 || !cdbmake_start(&c, fd))
        die("users/cdb");
    add_user(&c, "joe");
    add_user(&c, "alice@pneu.test");
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < parts[i]->count; j++) {
            char const *line = parts[i]->lines[j];
            if (!strncmp(line, "user ", 5))
                add_user(&c, line + 5);
            if (!strncmp(line, "alias ", 6))
                add_alias(t, &c, line + 6);
            if (!strncmp(line, "mailbox ", 8)) {
                char domain[300];
                add_user(&c, line + 8);
                snprintf(domain, sizeof domain, "control/domain%c%s", '/', strrchr(line, '@') + 1);
                mkdir(path(t, domain), 0755);
            }
        }
    if (!cdbmake_finish(&c))
        die("users/cdb");
    close(fd);
}

/* A process that serves that socket. */
static pid_t
start_server(struct talk *t, char const *socket_name, void serve(struct talk *, int))
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path(t, socket_name));
    if (fd == -1 || bind(fd, (struct sockaddr *)&name, sizeof name) == -1 || listen(fd, 5) == -1)
        die(socket_name);
    pid_t pid = fork();
    if (pid == -1)
        die("fork");
    if (!pid) { /* it must not outlive us, nor hold our output open */
        int null = open("/dev/null", O_WRONLY);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || null == -1 || dup2(null, 1) == -1 || dup2(null, 2) == -1)
            _exit(111);
        if (chdir(path(t, "stored")) == -1)
            _exit(111);
        serve(t, fd);
    }
    close(fd);
    return pid;
}

static void
serve_queue(struct talk *t, int fd)
{
    fakequeue_serve(fd, &t->fake);
}

static void
serve_auth(struct talk *t, int fd)
{
    fakeauth_serve(fd, &t->auth);
}

/* The real one, on run/hook. */
static void
start_hookd(struct talk *t)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char const *bin = getenv("PNEU_BIN");
    char program[512], ids[64];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(ids, sizeof ids, "pneud:%u:%u\n", (unsigned int)geteuid(), (unsigned int)getegid());

    if (!openwritenclose_unsafe(path(t, "users/ids"), ids, (size_t)n))
        die("users/ids");
    snprintf(program, sizeof program, "%s/pneu-hookd", bin ? bin : "build/static/bin");
    snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path(t, "run/hook"));
    if (fd == -1 || bind(fd, (struct sockaddr *)&name, sizeof name) == -1 || listen(fd, 5) == -1)
        die("run/hook");
    t->hookd = fork();
    if (t->hookd == -1)
        die("fork");
    if (!t->hookd) {
        int log = open(path(t, "hooklog"), O_WRONLY | O_CREAT | O_APPEND, 0644);
        setenv("PNEU_HOME", t->home, 1);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || dup2(fd, 0) == -1 || dup2(log, 1) == -1 || dup2(log, 2) == -1)
            _exit(111);
        execl(program, "pneu-hookd", (char *)NULL);
        _exit(127);
    }
    close(fd);
}

static void
describe(struct talk *t, struct script const *part)
{
    for (size_t i = 0; i < part->count; i++) {
        char *line = part->lines[i];
        char *value = strchr(line, ' ');
        if (!strncmp(line, "set ", 4)) {
            char name[200];
            char const *blank = strchr(line + 4, ' ');
            snprintf(name, sizeof name, "%.*s", (int)(blank - line - 4), line + 4);
            write_setting(t, name, blank + 1);
        } else if (!strncmp(line, "open ", 5))
            t->fake.open = value + 1;
        else if (!strncmp(line, "end ", 4))
            t->fake.end = value + 1;
        else if (!strncmp(line, "exit ", 5))
            t->want_exit = atoi(value);
        else if (!strncmp(line, "auth ", 5) && t->auth.count < FAKEAUTH_MAX)
            unescape(&t->auth.answers[t->auth.count++], value + 1);
        t->pipes |= !strcmp(line, "pipes");
        t->nocdb |= !strcmp(line, "nocdb");
        t->noqueue |= !strcmp(line, "noqueue");
        t->hooked |= !strcmp(line, "hookd");
        t->fake.hangup |= !strcmp(line, "hangup");
        t->fake.once |= !strcmp(line, "once");
    }
}

static void
make_instance(struct talk *t, struct script const *parts[2])
{
    static char const *const folders[] = {"control", "control/domain", "control/domain/pneu.test", "users", "run",
                                          "stored",  "alias"};

    snprintf(t->home, sizeof t->home, "/tmp/talk.XXXXXX");
    if (!mkdtemp(t->home))
        die(t->home);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(path(t, folders[i]), 0755) == -1)
            die(folders[i]);
    write_setting(t, "me", "mx.pneu.test");
    describe(t, parts[0]);
    describe(t, parts[1]);
    if (!t->nocdb)
        make_users(t, parts);
    if (!t->noqueue)
        t->queue = start_server(t, "run/intake", serve_queue);
    if (t->hooked)
        start_hookd(t);
    if (t->auth.count)
        t->authd = start_server(t, "run/auth", serve_auth);
}

/* ---- the program ---- */

static void
set_environment(struct talk *t, struct script const *parts[2])
{
    setenv("PNEU_HOME", t->home, 1);
    setenv("PROTO", "TCP", 1);
    setenv("TCPREMOTEIP", "192.0.2.1", 1);
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < parts[i]->count; j++)
            if (!strncmp(parts[i]->lines[j], "env -", 5))
                unsetenv(parts[i]->lines[j] + 5);
            else if (!strncmp(parts[i]->lines[j], "env ", 4))
                putenv(parts[i]->lines[j] + 4);
}

static void
start_program(struct talk *t, struct script const *parts[2])
{
    int in[2], out[2];
    char const *bin = getenv("PNEU_BIN");
    char program[512];

    snprintf(program, sizeof program, "%s/pneu-smtpd", bin ? bin : "build/static/bin");
    if (t->pipes ? pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1
                 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == -1)
        die("socketpair");
    t->program = fork();
    if (t->program == -1)
        die("fork");
    if (!t->program) {
        int log = open(path(t, "log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
        set_environment(t, parts);
        dup2(log, 2);
        dup2(in[0], 0);
        dup2(t->pipes ? out[1] : in[0], 1);
        execl(program, "pneu-smtpd", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    t->fd_to = t->fd_from = in[1];
    if (t->pipes) {
        close(out[1]);
        t->fd_from = out[0];
    }
    fcntl(t->fd_to, F_SETFL, O_NONBLOCK);
    fcntl(t->fd_from, F_SETFL, O_NONBLOCK);
    t->started = 1;
}

/* Takes what has come. Returns 1, 0 at the end of file or after WAIT_MS. */
static int
receive(struct talk *t, int wait)
{
    struct pollfd x = {.fd = t->fd_from, .events = POLLIN};
    char buf[4096];

    if (poll(&x, 1, wait ? WAIT_MS : 0) <= 0)
        return 0;
    ssize_t n = read(t->fd_from, buf, sizeof buf);
    if (n <= 0)
        return 0;
    if (!stralloc_catb(&t->got, buf, (size_t)n))
        die("memory");
    return 1;
}

/* Sends everything, and reads meanwhile: neither side shall wait for the other for ever. */
static void
flush(struct talk *t)
{
    size_t sent = 0;

    while (sent < t->pending.len) {
        ssize_t n = write(t->fd_to, t->pending.s + sent, t->pending.len - sent);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        struct pollfd x[2] = {{.fd = t->fd_to, .events = POLLOUT}, {.fd = t->fd_from, .events = POLLIN}};
        if (errno != EAGAIN || poll(x, 2, WAIT_MS) <= 0)
            break;
        if (x[1].revents)
            receive(t, 0);
    }
    t->pending.len = 0;
}

/* ---- replies ---- */

static int
same_start(char const *line, size_t len, stralloc const *want)
{
    if (want->len > len)
        return 0;
    for (size_t i = 0; i < want->len; i++)
        if (line[i] != want->s[i] && !(i == 3 && want->s[i] == ' ' && line[i] == '-'))
            return 0;
    return 1;
}

static int
reply_has(struct talk const *t, stralloc const *want)
{
    for (size_t at = 0; at < t->reply.len;) {
        char const *end = memmem(t->reply.s + at, t->reply.len - at, "\r\n", 2);
        size_t next = (size_t)(end - t->reply.s) + 2;
        if (same_start(t->reply.s + at, next - at - 2, want))
            return 1;
        at = next;
    }
    return 0;
}

/* Bytes of the first whole reply of `got`, 0 if it is not there yet. */
static size_t
whole_reply(stralloc const *got)
{
    for (size_t at = 0; at < got->len;) {
        char const *end = memmem(got->s + at, got->len - at, "\r\n", 2);
        if (!end)
            return 0;
        size_t next = (size_t)(end - got->s) + 2;
        if (next - at < 6 || got->s[at + 3] != '-')
            return next;
        at = next;
    }
    return 0;
}

static int
next_reply(struct talk *t)
{
    size_t n;

    while (!(n = whole_reply(&t->got)))
        if (!receive(t, 1))
            return 0;
    stralloc_copyb(&t->reply, t->got.s, n);
    memmove(t->got.s, t->got.s + n, t->got.len - n);
    t->got.len -= n;
    return 1;
}

static void
expect(struct talk *t, char kind, stralloc *want)
{
    if (kind == ':' && !next_reply(t)) {
        complain(t, "no reply, expected %.*s", (int)want->len, want->s);
        return;
    }
    if (reply_has(t, want) != (kind != '!'))
        complain(t, "expected%s %.*s, got %.*s", kind == '!' ? " no" : "", (int)want->len, want->s, (int)t->reply.len,
                 t->reply.s);
}

static void
expect_end(struct talk *t)
{
    while (receive(t, 1))
        ;
    if (t->got.len)
        complain(t, "unexpected: %.*s", (int)t->got.len, t->got.s);
}

static void
wait_read(struct talk *t)
{
    int left;

    for (int i = 0; i < WAIT_MS && ioctl(t->fd_to, t->pipes ? FIONREAD : SIOCOUTQ, &left) == 0 && left; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void
half_close(struct talk *t)
{
    if (t->pipes) {
        close(t->fd_to);
        t->fd_to = -1;
    } else
        shutdown(t->fd_to, SHUT_WR);
}

/* ---- what is left behind ---- */

static int
contents(struct talk *t, char const *name, stralloc *to)
{
    to->len = 0;
    return openslurpclose(to, path(t, name));
}

static void
check_log(struct talk *t, char kind, stralloc *want)
{
    stralloc log = STRALLOC_ZERO;

    contents(t, "log", &log);
    if (holds(&log, want) != (kind == ':'))
        complain(t, "the log is: %.*s", (int)log.len, log.s);
    stralloc_free(&log);
}

static void
show_log(struct talk *t)
{
    stralloc log = STRALLOC_ZERO;

    if (contents(t, "log", &log))
        complain(t, "log: %.*s", (int)log.len, log.s);
    stralloc_free(&log);
}

static void
check_count(struct talk *t, unsigned int want)
{
    unsigned int n = 0;
    char name[64];

    do
        snprintf(name, sizeof name, "stored/%u.message", ++n);
    while (access(path(t, name), F_OK) == 0);
    if (n - 1 != want)
        complain(t, "%u messages in the queue, not %u", n - 1, want);
}

/* The trace field ends at the first line that does not begin with a tab. */
static void
strip_trace(stralloc *message)
{
    size_t at = 0;

    do {
        char const *lf = memchr(message->s + at, '\n', message->len - at);
        at = lf ? (size_t)(lf - message->s) + 1 : message->len;
    } while (at < message->len && message->s[at] == '\t');
    if (at < message->len)
        memmove(message->s, message->s + at, message->len - at);
    message->len -= at;
}

static void
check_question(struct talk *t, char const *number, stralloc const *want)
{
    stralloc bytes = STRALLOC_ZERO;
    char name[64];

    snprintf(name, sizeof name, "stored/%u.question", (unsigned int)atoi(number));
    if (!contents(t, name, &bytes))
        complain(t, "there is no %s", name);
    else if (bytes.len != want->len || memcmp(bytes.s, want->s, want->len) != 0)
        complain(t, "the question is %.*s", (int)bytes.len, bytes.s);
    stralloc_free(&bytes);
}

static void
check_message(struct talk *t, char what, char kind, char const *number, stralloc *want)
{
    stralloc bytes = STRALLOC_ZERO, record = STRALLOC_ZERO;
    char name[64];

    snprintf(name, sizeof name, "stored/%u.%s", (unsigned int)atoi(number), what == 'V' ? "envelope" : "message");
    if (!contents(t, name, &bytes))
        complain(t, "there is no %s", name);
    else if (what == 'V') {
        netstring_put(&record, want->s, want->len);
        if (holds(&bytes, &record) != (kind == ':'))
            complain(t, "the envelope is %.*s", (int)bytes.len, bytes.s);
    } else if (what == 'B') {
        strip_trace(&bytes);
        if (bytes.len != want->len || (want->len && memcmp(bytes.s, want->s, want->len)))
            complain(t, "the message is %.*s", (int)bytes.len, bytes.s);
    } else if (holds(&bytes, want) != (kind == ':'))
        complain(t, "the message is %.*s", (int)bytes.len, bytes.s);
    stralloc_free(&bytes);
    stralloc_free(&record);
}

/* ---- a dialogue ---- */

static void
send_text(struct talk *t, char const *line, char const *text)
{
    size_t times = 1;
    stralloc bytes = STRALLOC_ZERO;

    if (*line == 'X') {
        char *end;
        times = strtoul(text, &end, 10);
        text = end + 1;
    }
    unescape(&bytes, text);
    while (times--)
        stralloc_catb(&t->pending, bytes.s, bytes.len);
    if (*line == 'C')
        stralloc_cats(&t->pending, "\r\n");
    stralloc_free(&bytes);
    if (line[1] == ':')
        flush(t);
}

/* One line of the conversation. Returns 0 if it is none. */
static int
act(struct talk *t, char const *line)
{
    char const *text = line[2] == ' ' ? line + 3 : line + 2;
    stralloc want = STRALLOC_ZERO;

    if (strchr("CRX", *line))
        send_text(t, line, text);
    else if (*line == 'S') {
        unescape(&want, text);
        expect(t, line[1], &want);
    } else if (*line == 'P')
        wait_read(t);
    else if (*line == 'H')
        half_close(t);
    else if (*line == 'E')
        expect_end(t);
    else
        return 0;
    stralloc_free(&want);
    return 1;
}

static int
check(struct talk *t, char const *line)
{
    char const *text = line[2] == ' ' ? line + 3 : line + 2;
    char const *rest = strchr(text, ' ');
    stralloc want = STRALLOC_ZERO;

    if (*line == 'Q')
        check_count(t, (unsigned int)atoi(text));
    else if (*line == 'L') {
        unescape(&want, text);
        check_log(t, line[1], &want);
    } else if (*line == 'A') {
        unescape(&want, rest ? rest + 1 : "");
        check_question(t, text, &want);
    } else if (strchr("MBV", *line)) {
        unescape(&want, rest ? rest + 1 : "");
        check_message(t, *line, line[1], text, &want);
    } else
        return 0;
    stralloc_free(&want);
    return 1;
}

static int
is_action(char const *line)
{
    return isupper((unsigned char)*line) && line[1] && strchr(":+&!", line[1]);
}

static void
finish(struct talk *t)
{
    int status = 0;

    if (t->fd_to != -1)
        half_close(t);
    expect_end(t);
    for (int i = 0; waitpid(t->program, &status, WNOHANG) == 0; i++) {
        if (i == WAIT_MS) {
            complain(t, "it does not exit");
            kill(t->program, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != t->want_exit)
        complain(t, "%s %d, not %d", WIFEXITED(status) ? "exit" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), t->want_exit);
}

static void
clean(struct talk *t)
{
    if (t->queue) {
        kill(t->queue, SIGKILL);
        waitpid(t->queue, NULL, 0);
    }
    if (t->hookd) {
        kill(t->hookd, SIGTERM);
        waitpid(t->hookd, NULL, 0);
    }
    if (t->authd) {
        kill(t->authd, SIGKILL);
        waitpid(t->authd, NULL, 0);
    }
    for (unsigned int i = 0; i < t->auth.count; i++)
        stralloc_free(&t->auth.answers[i]);
    close(t->fd_from);
    if (t->fd_to != t->fd_from && t->fd_to != -1)
        close(t->fd_to);
    rm_rf(t->home);
    stralloc_free(&t->pending);
    stralloc_free(&t->got);
    stralloc_free(&t->reply);
}

static void
dialogue(char const *file, size_t at, struct script const *common, struct script const *own, char const *name)
{
    struct talk t = {
        .file = file, .name = name, .pending = STRALLOC_ZERO, .got = STRALLOC_ZERO, .reply = STRALLOC_ZERO};
    struct script const *parts[2] = {common, own};
    size_t i;

    make_instance(&t, parts);
    start_program(&t, parts);
    for (i = 0; i < own->count && !t.failed; i++) {
        t.line = at + i + 1;
        if (is_action(own->lines[i]) && !act(&t, own->lines[i]))
            break;
    }
    finish(&t);
    for (; i < own->count && !t.failed; i++) {
        t.line = at + i + 1;
        if (is_action(own->lines[i]) && !check(&t, own->lines[i]))
            complain(&t, "out of place");
    }
    if (t.failed)
        show_log(&t);
    char const *base = strrchr(file, '/');
    ok(!t.failed, "%s: %s", base ? base + 1 : file, name);
    clean(&t);
}

static struct script
read_script(char const *file)
{
    struct script s = {0};
    FILE *f = fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (!f)
        die(file);
    while ((n = getline(&line, &room, f)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = 0;
        s.lines = realloc(s.lines, (s.count + 1) * sizeof *s.lines);
        if (!s.lines || !(s.lines[s.count++] = strdup(line)))
            die(file);
    }
    free(line);
    fclose(f);
    return s;
}

static void
replay(char const *file)
{
    struct script all = read_script(file);
    struct script common = {.lines = all.lines};
    size_t i = 0;

    while (i < all.count && strncmp(all.lines[i], "== ", 3))
        i++;
    common.count = i;
    while (i < all.count) {
        struct script own = {.lines = all.lines + i + 1};
        size_t begin = i++;
        while (i < all.count && strncmp(all.lines[i], "== ", 3))
            i++;
        own.count = i - begin - 1;
        dialogue(file, begin + 1, &common, &own, all.lines[begin] + 3);
    }
    for (i = 0; i < all.count; i++)
        free(all.lines[i]);
    free(all.lines);
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    return tap_done();
}
