#include "smtpd/listen.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "control/control.h"
#include "lib/exits.h"
#include "lib/ip.h"
#include "lib/log.h"
#include "smtpd/connection.h"
#include "smtpd/sandbox.h"
#include "smtpd/starttls.h"

int
listen_settings(struct listen *l, char const **which)
{
    struct control_number const wanted[] = {
        {SET_maxconn, &l->maxconn},
        {SET_maxconnperip, &l->maxconnperip},
        {SET_connperchild, &l->connperchild},
    };

    return control_uints(wanted, sizeof wanted / sizeof *wanted, which);
}

/* Is that there? What cannot be known is: pneu-access, which is asked then, lets nobody in. */
static int
there(char const *folder, char const *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s%s", folder, name) >= (int)sizeof path || access(path, F_OK) == 0 ||
           (errno != ENOENT && errno != ENOTDIR);
}

/* 1 if there are access rules, of this listener or of all. */
static int
rules(void)
{
    char const *server = getenv("PNEU_SERVER");
    char own[PATH_MAX];

    if (there("control/", "access") || there("control/", "access.cdb"))
        return 1;
    if (!server || !*server)
        return 0;
    return snprintf(own, sizeof own, "control/servers/%s/", server) >= (int)sizeof own || there(own, "access") ||
           there(own, "access.cdb");
}

/* 1 if that setting is there, and not that value; 0 too if it cannot be read, for then nothing has changed. */
static int
asks(enum setting id, char const *no)
{
    stralloc value = STRALLOC_ZERO;
    int found = control_list(id, &value) == 1 && value.len && strcmp(value.s, no) != 0;

    stralloc_free(&value);
    return found;
}

/* Must a program stand before pneu-smtpd? As the run script of a listener decides it. */
static int
programs_wanted(void)
{
    return rules() || asks(SET_rdns, "no") || asks(SET_proxyfrom, "") || asks(SET_xclientfrom, "");
}

static char const *const programs[LISTEN_PROGRAMS] = {"pneu-smtplisten", "pneu-smtpd", "pneu-tlsd", "pneu-access"};

static char const *
path_of(char path[static STARTTLS_PATH_MAX + 32], struct listen const *l, unsigned int program)
{
    (void)stpcpy(stpcpy(path, l->folder), programs[program]);
    return path;
}

static int
upgraded(struct listen const *l)
{
    char path[STARTTLS_PATH_MAX + 32];

    for (unsigned int i = 0; i < LISTEN_PROGRAMS; i++)
        if (replaced_is(l->programs + i, path_of(path, l, i)))
            return 1;
    return 0;
}

/* An IPv4 address whole, of an IPv6 address the first half: who has one has 2^64 of them. But only the whole is the same client. */
static int
who(void *data, int fd, uint64_t *key)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    uint16_t port;
    struct ip ip;

    (void)data;
    if (getpeername(fd, (struct sockaddr *)&name, &len) == -1 || !ip_from_sockaddr(&ip, &port, &name))
        return 0;
    *key = !ip.is6;
    for (unsigned int i = 0; i < (ip.is6 ? 8u : 4u); i++)
        *key = *key << 8 | ip.b[i];
    for (unsigned int i = 8; ip.is6 && i < 16; i++)
        key[1] = key[1] << 8 | ip.b[i];
    return 1;
}

static int
admits(struct serve const *s, uint64_t key)
{
    struct listen const *l = s->data;
    uint32_t all, same;

    serve_count(s, key, &all, &same);
    return !l->over && all < l->maxconn && same < l->maxconnperip;
}

static int
tls_first(void)
{
    char const *kind = getenv("PNEU_KIND");

    return kind && !strcmp(kind, "submissions");
}

static void
refuse(void *data, int fd, uint64_t key, int error)
{
    static char const many[] = "421 4.7.0 too many connections, try again later\r\n";
    static char const over[] = "421 4.3.2 another server begins here, try again at once\r\n";
    char const *reply = ((struct listen const *)data)->over ? over : many;
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    char text[IP_FMT];
    uint16_t port;
    struct ip ip;
    struct log l;

    (void)key;
    if (!tls_first()) /* it would be no word of TLS */
        (void)!send(fd, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
    log_start(&l, "turned-away");
    if (getpeername(fd, (struct sockaddr *)&name, &len) == 0 && ip_from_sockaddr(&ip, &port, &name))
        log_bytes(&l, "client", text, ip_fmt(text, &ip));
    log_str(&l, "reason", error ? "fork" : reply == over ? "restart" : "connections");
    log_end(&l);
}

static void
refresh(void *data)
{
    struct listen *l = data;
    char const *which;

    if (!listen_settings(l, &which))
        strerr_warnwu2sys("read ", which);
    l->over = l->over || (!l->before && programs_wanted()) || upgraded(l);
    if (l->over)
        kill(getpid(), SIGTERM);
}

static int
put_name(char const *ipname, char const *portname, struct sockaddr_storage const *name)
{
    char text[IP_FMT + 1], number[UINT_FMT];
    uint16_t port;
    struct ip ip;

    if (!ip_from_sockaddr(&ip, &port, name))
        return 0;
    text[ip_fmt(text, &ip)] = 0;
    number[uint_fmt(number, port)] = 0;
    return setenv(ipname, text, 1) == 0 && setenv(portname, number, 1) == 0;
}

/* What a tcp server tells in the environment, for who is started later: pneu-tlsd. */
static int
tell(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;

    if (getpeername(fd, (struct sockaddr *)&name, &len) == -1 || !put_name("TCPREMOTEIP", "TCPREMOTEPORT", &name))
        return 0;
    len = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &len) == 0 && put_name("TCPLOCALIP", "TCPLOCALPORT", &name) &&
           setenv("PROTO", "TCP", 1) == 0;
}

static int
begin_tls(void)
{
    char const *problem = smtpd_confine_child(1) ? starttls_first() : "confine myself";

    strerr_warnwusys(problem);
    return EXIT_TEMP;
}

/* The next client of this address is served by this process, too, if this one was polite: what a hostile one may have left here is nobody
 * else's. */
static void
session(void *data, int fd, uint64_t key, size_t slot)
{
    (void)key, (void)slot;
    struct listen *l = data;
    sigset_t none;
    int code;

    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, 0) == -1 || !tell(fd) || dup2(fd, 0) == -1 || dup2(fd, 1) == -1)
        _exit(0); /* it hung up, most likely */
    if (tls_first())
        _exit(begin_tls());
    code = connection(&l->connection);
    if (!l->connection.polite || ++l->served >= l->connperchild || dup2(2, 0) == -1 || dup2(2, 1) == -1)
        _exit(code);
}

static void
gone(void *data, size_t slot, struct serve_child const *child, int sig)
{
    (void)data, (void)slot;
    if (sig)
        log_died(child->pid, sig);
}

void
listen_init(struct listen *l, char const *folder, struct serve *s)
{
    char path[STARTTLS_PATH_MAX + 32];

    l->before = programs_wanted();
    l->connection = (struct connection)CONNECTION_ZERO;
    l->connection.child = 1;
    (void)stpcpy(l->folder, folder);
    for (unsigned int i = 0; i < LISTEN_PROGRAMS; i++)
        replaced_mark(l->programs + i, path_of(path, l, i));
    *s = (struct serve){
        .slots = l->maxconn,
        .again = 1,
        .leaves = 1,
        .data = l,
        .who = who,
        .admits = admits,
        .refuse = refuse,
        .refresh = refresh,
        .session = session,
        .gone = gone,
    };
}
