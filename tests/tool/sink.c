/* A scripted SMTP server for the tests of clients.
 *
 *   sink -d DIR [-l ADDRESS]... [-p PORT] [-e KEYWORD]... [-r N] [-g N] [-t BYTES] [RULE...]
 *
 * Listens on each ADDRESS (127.0.0.1) at the same port, one the kernel chooses if none is given, writes it to DIR/port and
 * answers every connection in a process of its own until it is killed.
 *   -e   what EHLO offers; by default PIPELINING, 8BITMIME, SIZE, ENHANCEDSTATUSCODES, SMTPUTF8, DSN. "-e none": nothing
 *   -r   recipients of a transaction; the next ones are answered 452
 *   -g   greylist: every RCPT of the first N connections is answered 451
 *   -t   hangs up within the message after that many bytes of it
 *
 * RULE  [#CONNECTION,][@ADDRESS,]STAGE[~TEXT]=ACTION[;ACTION]...   the first that fits counts
 * STAGE greet ehlo helo mail rcpt data body dot rset quit other: when it is asked, or the message begins (body) or is over (dot)
 * TEXT  occurs in the command's line
 * ACTION  a reply ("550 5.1.1 no"; \r \n \0 \\ \s ; as \x3b), its CR LF added; raw:TEXT without it
 *       drop    closes    reset  closes with RST    hang  reads no more, answers no more, until the client closes
 *       slow:TEXT  a reply, byte by byte           flood  reply lines without end
 *       ok      what it says without any rule
 *
 * DIR/log holds a line for each event: "N connect ADDRESS", "N command LINE", "N message M BYTES [bare]", "N close".
 * DIR/N.in holds every byte received. DIR/N.M.wire a message as it came with its dot, DIR/N.M a strict receiver's view: CR LF is LF,
 * doubled dots single. "bare": a CR or LF alone was in it. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS 16
#define MESSAGE_MAX (256u << 20)

static struct {
    char const *dir;
    char const *address[LISTENERS];
    int listeners;
    int port;
    char const *keywords[16];
    int nkeywords;
    int rcptmax, greylist;
    long tear;
    char **rules;
} conf = {.tear = -1};

struct connection {
    int fd, number, in, log;
    char const *address;
    char buffer[65536];
    size_t begin, end;
    int rcpts, messages;
    char said; /* first digit of the last reply */
};

__attribute__((format(printf, 2, 3))) static void
note(struct connection *c, char const *format, ...)
{
    char line[2048];
    va_list ap;
    int n = snprintf(line, sizeof line, "%d ", c->number);

    va_start(ap, format);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, ap);
    va_end(ap);
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n++] = '\n';
    (void)!write(c->log, line, (size_t)n);
}

__attribute__((noreturn)) static void
finish(struct connection *c)
{
    note(c, "close");
    _exit(0);
}

static void
say(struct connection *c, char const *s, size_t len)
{
    while (len) {
        ssize_t n = send(c->fd, s, len, MSG_NOSIGNAL);
        if (n <= 0)
            finish(c);
        s += n;
        len -= (size_t)n;
    }
}

/* One more piece of input. */
static void
fill(struct connection *c)
{
    if (c->begin == c->end)
        c->begin = c->end = 0;
    if (c->end == sizeof c->buffer) {
        memmove(c->buffer, c->buffer + c->begin, c->end - c->begin);
        c->end -= c->begin;
        c->begin = 0;
    }
    ssize_t n = recv(c->fd, c->buffer + c->end, sizeof c->buffer - c->end, 0);
    if (n <= 0)
        finish(c);
    (void)!write(c->in, c->buffer + c->end, (size_t)n);
    c->end += (size_t)n;
}

/* ---- actions ---- */

static size_t
unescape(char const *s, size_t len, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] != '\\' || i + 1 == len) {
            to[n++] = s[i];
            continue;
        }
        switch (s[++i]) {
        case 'r':
            to[n++] = '\r';
            break;
        case 'n':
            to[n++] = '\n';
            break;
        case 's':
            to[n++] = ' ';
            break;
        case '0':
            to[n++] = 0;
            break;
        case 'x': {
            char hex[3] = {i + 1 < len ? s[i + 1] : '0', i + 2 < len ? s[i + 2] : '0', 0};
            to[n++] = (char)strtol(hex, 0, 16);
            i += 2;
            break;
        }
        default:
            to[n++] = s[i];
        }
    }
    return n;
}

static void
hang(struct connection *c)
{
    char rest[65536];
    struct pollfd x = {.fd = c->fd, .events = POLLRDHUP};

    while (!(x.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        poll(&x, 1, -1);
    while (recv(c->fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        ;
    finish(c);
}

static void
reset(struct connection *c)
{
    struct linger l = {1, 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    finish(c);
}

/* Returns 1 if the usual answer is wanted. */
static int
act(struct connection *c, char const *action, size_t len)
{
    char text[8192];
    size_t n;

    if (len == 2 && !memcmp(action, "ok", 2))
        return 1;
    if (len == 4 && !memcmp(action, "drop", 4))
        finish(c);
    if (len == 5 && !memcmp(action, "reset", 5))
        reset(c);
    if (len == 4 && !memcmp(action, "hang", 4))
        hang(c);
    if (len == 5 && !memcmp(action, "flood", 5))
        for (;;)
            say(c, "250-and so on\r\n", 15);
    if (len > 4 && !memcmp(action, "raw:", 4)) {
        say(c, text, unescape(action + 4, len - 4, text));
        return 0;
    }
    c->said = *action;
    int slow = len > 5 && !memcmp(action, "slow:", 5);
    n = unescape(action + 5 * slow, len - (size_t)(5 * slow), text);
    memcpy(text + n, "\r\n", 2);
    for (size_t i = 0; i < n + 2; i += slow ? 1 : n + 2) {
        say(c, text + i, slow ? 1 : n + 2);
        if (slow)
            usleep(2000);
    }
    return 0;
}

static int
fits(struct connection const *c, char const *rule, char const *stage, char const *line, char const **action)
{
    char text[256];
    size_t n;

    if (*rule == '#') {
        if (atoi(rule + 1) != c->number)
            return 0;
        rule = strchr(rule, ',') + 1;
    }
    if (*rule == '@') {
        n = strcspn(rule + 1, ",");
        if (strncmp(rule + 1, c->address, n) || c->address[n])
            return 0;
        rule += n + 2;
    }
    n = strcspn(rule, "~=");
    if (n != strlen(stage) || strncmp(rule, stage, n))
        return 0;
    rule += n;
    if (*rule == '~') {
        n = strcspn(rule + 1, "=");
        if (n >= sizeof text)
            return 0;
        memcpy(text, rule + 1, n);
        text[n] = 0;
        if (!strstr(line, text))
            return 0;
        rule += n + 1;
    }
    *action = rule + 1;
    return *rule == '=';
}

/* Follows the rules. Returns 1 if the usual answer is to be given. */
static int
usual(struct connection *c, char const *stage, char const *line)
{
    char const *action;

    for (char **rule = conf.rules; *rule; rule++)
        if (fits(c, *rule, stage, line, &action)) {
            int want = 0;
            for (;;) {
                size_t n = strcspn(action, ";");
                want = act(c, action, n);
                if (!action[n])
                    return want;
                action += n + 1;
            }
        }
    return 1;
}

static void
answer(struct connection *c, char const *stage, char const *line, char const *reply)
{
    c->said = 0;
    if (usual(c, stage, line)) {
        c->said = *reply;
        say(c, reply, strlen(reply));
        say(c, "\r\n", 2);
    }
}

/* ---- the message ---- */

static FILE *
file_of(struct connection const *c, char const *kind)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%d.%d%s", conf.dir, c->number, c->messages, kind);
    return fopen(path, "w");
}

/* 1 at the end: a line that is a dot. Everything goes to both files. */
struct receiver {
    FILE *wire, *clean;
    size_t bytes;
    int state; /* 0 begin of line, 1 dot at begin, 2 dot CR, 3 in a line, 4 CR in a line */
    int bare;
};

static int
receive(struct receiver *r, char c)
{
    int before = r->state;

    putc(c, r->wire);
    r->bytes++;
    switch (before) {
    case 0:
        if (c == '.')
            return r->state = 1, 0;
        break;
    case 1:
        if (c == '\r')
            return r->state = 2, 0;
        break;
    case 2:
        if (c == '\n')
            return 1;
        putc('\r', r->clean);
        r->bare = 1;
        break;
    case 4:
        if (c == '\n') {
            putc('\n', r->clean);
            return r->state = 0, 0;
        }
        putc('\r', r->clean);
        r->bare = 1;
        break;
    }
    if (c == '\r')
        return r->state = 4, 0;
    if (c == '\n')
        r->bare = 1;
    putc(c, r->clean);
    r->state = 3;
    return 0;
}

static void
message(struct connection *c)
{
    struct receiver r = {0};
    int end = 0;

    c->messages++;
    r.wire = file_of(c, ".wire");
    r.clean = file_of(c, "");
    if (!r.wire || !r.clean)
        _exit(111);
    while (!end) {
        if (c->begin == c->end)
            fill(c);
        while (c->begin < c->end && !end) {
            end = receive(&r, c->buffer[c->begin++]);
            if ((long)r.bytes == conf.tear) {
                fclose(r.wire);
                fclose(r.clean);
                reset(c);
            }
        }
    }
    fclose(r.wire);
    fclose(r.clean);
    note(c, "message %d %zu%s", c->messages, r.bytes, r.bare ? " bare" : "");
}

/* ---- the dialogue ---- */

/* One line without its CR LF. */
static char *
get_line(struct connection *c, char line[static 4096])
{
    for (;;) {
        char *lf = memchr(c->buffer + c->begin, '\n', c->end - c->begin);
        if (lf) {
            size_t n = (size_t)(lf - c->buffer) - c->begin;
            size_t keep = n < 4095 ? n : 4095;
            memcpy(line, c->buffer + c->begin, keep);
            c->begin += n + 1;
            if (keep && line[keep - 1] == '\r')
                keep--;
            line[keep] = 0;
            return line;
        }
        fill(c);
    }
}

static void
ehlo(struct connection *c, char const *line)
{
    char text[2048] = "250-sink.test";

    for (int i = 0; i < conf.nkeywords; i++)
        sprintf(text + strlen(text), "\r\n250%c%s", i + 1 == conf.nkeywords ? ' ' : '-', conf.keywords[i]);
    if (!conf.nkeywords)
        text[3] = ' ';
    answer(c, "ehlo", line, text);
}

static void
rcpt(struct connection *c, char const *line)
{
    if (c->number <= conf.greylist)
        answer(c, "rcpt", line, "451 4.7.1 come again");
    else if (conf.rcptmax && c->rcpts >= conf.rcptmax)
        answer(c, "rcpt", line, "452 4.5.3 too many recipients");
    else
        answer(c, "rcpt", line, "250 2.1.5 ok");
    c->rcpts += c->said == '2';
}

static void
data(struct connection *c, char const *line)
{
    if (!usual(c, "data", line))
        return;
    if (!c->rcpts) {
        answer(c, "none", line, "554 5.5.1 no valid recipients");
        return;
    }
    say(c, "354 go ahead\r\n", 14);
    if (usual(c, "body", line))
        message(c);
    answer(c, "dot", line, "250 2.0.0 thank you");
    c->rcpts = 0;
}

static void
talk(struct connection *c)
{
    char line[4096];

    answer(c, "greet", "", "220 sink.test ESMTP");
    for (;;) {
        get_line(c, line);
        note(c, "command %s", line);
        if (!strncasecmp(line, "EHLO", 4))
            ehlo(c, line);
        else if (!strncasecmp(line, "HELO", 4))
            answer(c, "helo", line, "250 sink.test");
        else if (!strncasecmp(line, "MAIL", 4)) {
            c->rcpts = 0;
            answer(c, "mail", line, "250 2.1.0 ok");
        } else if (!strncasecmp(line, "RCPT", 4))
            rcpt(c, line);
        else if (!strncasecmp(line, "DATA", 4))
            data(c, line);
        else if (!strncasecmp(line, "RSET", 4)) {
            c->rcpts = 0;
            answer(c, "rset", line, "250 2.0.0 ok");
        } else if (!strncasecmp(line, "QUIT", 4)) {
            answer(c, "quit", line, "221 2.0.0 bye");
            finish(c);
        } else
            answer(c, "other", line, "500 5.5.2 what?");
    }
}

/* ---- listening ---- */

static int
open_in(char const *name, int flags)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", conf.dir, name);
    return open(path, O_WRONLY | O_CREAT | flags, 0644);
}

static int
listen_on(char const *address)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)conf.port)};
    socklen_t len = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;

    inet_pton(AF_INET, address, &here.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&here, len) == -1 || listen(fd, 500) == -1 ||
        getsockname(fd, (struct sockaddr *)&here, &len) == -1) {
        perror(address);
        exit(111);
    }
    conf.port = ntohs(here.sin_port);
    return fd;
}

static void
serve(int fd, char const *address, int number, int log)
{
    static struct connection c;
    char name[32];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    c.fd = fd;
    c.number = number;
    c.address = address;
    c.log = log;
    snprintf(name, sizeof name, "%d.in", number);
    c.in = open_in(name, O_TRUNC);
    note(&c, "connect %s", address);
    talk(&c);
}

static void
options(int argc, char **argv)
{
    static char const *const usual_words[] = {"PIPELINING",          "8BITMIME", "SIZE",
                                              "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN"};
    int given = 0;

    for (int o; (o = getopt(argc, argv, "d:l:p:e:r:g:t:")) != -1;)
        switch (o) {
        case 'd':
            conf.dir = optarg;
            break;
        case 'l':
            conf.address[conf.listeners++ % LISTENERS] = optarg;
            break;
        case 'p':
            conf.port = atoi(optarg);
            break;
        case 'e':
            given = 1;
            if (strcmp(optarg, "none"))
                conf.keywords[conf.nkeywords++ % 16] = optarg;
            break;
        case 'r':
            conf.rcptmax = atoi(optarg);
            break;
        case 'g':
            conf.greylist = atoi(optarg);
            break;
        case 't':
            conf.tear = atol(optarg);
            break;
        default:
            exit(100);
        }
    if (!conf.dir)
        exit(100);
    if (!conf.listeners)
        conf.address[conf.listeners++] = "127.0.0.1";
    for (size_t i = 0; !given && i < sizeof usual_words / sizeof *usual_words; i++)
        conf.keywords[conf.nkeywords++] = usual_words[i];
    conf.rules = argv + optind;
}

static void
write_port(void)
{
    char text[16], path[4096], new[4200];
    int fd;

    snprintf(path, sizeof path, "%s/port", conf.dir);
    snprintf(new, sizeof new, "%s/port.new", conf.dir);
    fd = open_in("port.new", O_TRUNC);
    (void)!write(fd, text, (size_t)snprintf(text, sizeof text, "%d\n", conf.port));
    close(fd);
    rename(new, path);
}

int
main(int argc, char **argv)
{
    struct pollfd x[LISTENERS];
    int log, number = 0;

    signal(SIGCHLD, SIG_IGN);
    options(argc, argv);
    log = open_in("log", O_APPEND);
    for (int i = 0; i < conf.listeners; i++) {
        x[i].fd = listen_on(conf.address[i]);
        x[i].events = POLLIN;
    }
    write_port();
    for (;;) {
        if (poll(x, (nfds_t)conf.listeners, -1) == -1)
            continue;
        for (int i = 0; i < conf.listeners; i++)
            if (x[i].revents) {
                int fd = accept(x[i].fd, 0, 0);
                number++;
                if (!fork())
                    serve(fd, conf.address[i], number, log);
                close(fd);
            }
    }
}
