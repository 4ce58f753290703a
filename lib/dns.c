#include "lib/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/iopause.h>

#define ANSWER_MAX 65535
#define GIVEN_UP (DNS_SERVERS + 1) /* `pending` of a question that this server has failed; else 1 + the server asked */
#define FIRST_WAIT 1               /* seconds for a server in the first round; twice that in the next, up to 8 */

int
dns_server(struct dns *d, char const *text, size_t len)
{
    uint16_t port = 53;
    struct ip ip;

    if (!ip_scan_port(text, len, &ip, &port))
        return (errno = EPROTO, 0);
    if (d->count == DNS_SERVERS)
        return (errno = ENOBUFS, 0);
    d->servers[d->count].ip = ip;
    d->servers[d->count++].port = port;
    return 1;
}

/* "nameserver ADDRESS", as the C library reads it. */
static void
resolvconf_line(struct dns *d, char const *line, size_t len)
{
    static char const word[] = "nameserver";
    size_t at = sizeof word - 1;
    size_t end;

    if (len <= at || memcmp(line, word, at) != 0 || (line[at] != ' ' && line[at] != '\t'))
        return;
    while (at < len && (line[at] == ' ' || line[at] == '\t'))
        at++;
    for (end = at; end < len && line[end] > ' ';)
        end++;
    dns_server(d, line + at, end - at);
}

int
dns_resolvconf(struct dns *d, char const *path)
{
    char file[8192];
    ssize_t got = openreadnclose(path, file, sizeof file);
    size_t len = got == -1 ? 0 : (size_t)got;

    if (got == -1 && errno != ENOENT)
        return 0;
    for (size_t at = 0, n = 0; at < len; at += n + 1) {
        char const *lf = memchr(file + at, '\n', len - at);
        n = lf ? (size_t)(lf - file) - at : len - at;
        resolvconf_line(d, file + at, n);
    }
    return d->count || dns_server(d, "127.0.0.1", 9);
}

void
dns_free(struct dns_question *q, unsigned int n)
{
    while (n--)
        stralloc_free(&q[n].answer);
}

/* ---- one server ---- */

struct asking {
    struct dns *dns;
    struct dns_question *q;
    unsigned int n;
    unsigned int server;
    unsigned int pending;  /* questions without an answer */
    unsigned int open;     /* of these, those this server may still answer */
    tain const *deadline;  /* of all */
    unsigned char *answer; /* ANSWER_MAX bytes */
};

static int
open_socket(struct asking *a, int type)
{
    struct sockaddr_storage to;
    socklen_t len = ip_sockaddr(&a->dns->servers[a->server].ip, a->dns->servers[a->server].port, &to);
    int fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd != -1 && connect(fd, (struct sockaddr *)&to, len) == -1 && errno != EINPROGRESS) {
        fd_close(fd);
        fd = -1;
    }
    return fd;
}

/* A question has its final answer. */
static void
settle(struct asking *a, struct dns_question *q, enum dns_status status)
{
    q->status = status;
    q->pending = 0;
    a->pending--;
    a->open--;
}

/* This server cannot answer it. */
static void
give_up(struct asking *a, struct dns_question *q)
{
    a->open--;
    q->pending = GIVEN_UP;
    if (++q->failures < a->dns->count)
        return;
    q->status = DNS_FAILED;
    q->pending = 0;
    a->pending--;
}

static int
wait_for(int fd, short events, tain const *deadline)
{
    iopause_fd x = {.fd = fd, .events = events};

    return iopause_g(&x, 1, deadline) > 0;
}

/* Reads or writes exactly len bytes of a stream. */
static int
stream(int fd, unsigned char *s, size_t len, int out, tain const *deadline)
{
    while (len) {
        ssize_t n = out ? send(fd, s, len, MSG_NOSIGNAL) : recv(fd, s, len, 0);
        if (n > 0)
            s += n, len -= (size_t)n;
        else if (n == 0 ||
                 (errno != EINTR && (errno != EAGAIN || !wait_for(fd, out ? IOPAUSE_WRITE : IOPAUSE_READ, deadline))))
            return 0;
    }
    return 1;
}

/* One question over a connected stream. Returns the length of the answer, 0 if there is none. */
static size_t
converse(struct asking *a, int fd, struct dns_question *q)
{
    unsigned char packet[2 + DNS_PACKET];
    unsigned char head[2];
    size_t len = dns_packet(q, packet + 2);
    size_t got;

    packet[0] = (unsigned char)(len >> 8);
    packet[1] = (unsigned char)len;
    if (!wait_for(fd, IOPAUSE_WRITE, a->deadline) || !stream(fd, packet, len + 2, 1, a->deadline) ||
        !stream(fd, head, 2, 0, a->deadline))
        return 0;
    got = (size_t)head[0] << 8 | head[1];
    return stream(fd, a->answer, got, 0, a->deadline) ? got : 0;
}

static int
keep_answer(struct asking *a, struct dns_question *q, size_t len)
{
    return stralloc_copyb(&q->answer, (char *)a->answer, len);
}

static int
ask_tcp(struct asking *a, struct dns_question *q)
{
    enum dns_status status = DNS_FAILED;
    int fd = open_socket(a, SOCK_STREAM);
    size_t len = 0;

    if (fd != -1) {
        len = converse(a, fd, q);
        fd_close(fd);
    }
    if (len)
        status = dns_judge(q, a->answer, len);
    if (status > DNS_NXDOMAIN) { /* also cut again: no server does that */
        give_up(a, q);
        return 1;
    }
    if (status == DNS_FOUND && !keep_answer(a, q, len))
        return 0;
    settle(a, q, status);
    return 1;
}

static void
send_question(int fd, struct dns_question const *q)
{
    unsigned char packet[DNS_PACKET];
    size_t len = dns_packet(q, packet);

    (void)!send(fd, packet, len, MSG_NOSIGNAL); /* if that fails, it is as lost as a datagram may be */
}

/* One datagram came. Returns 1, or 0 with errno ENOMEM. */
static int
take_datagram(struct asking *a, int fd, size_t len)
{
    for (unsigned int i = 0; i < a->n; i++) {
        struct dns_question *q = a->q + i;
        if (!q->pending || q->pending != a->server + 1)
            continue;
        enum dns_status status = dns_judge(q, a->answer, len);
        if (status == DNS_FOREIGN)
            continue;
        if (status == DNS_CUT)
            return ask_tcp(a, q);
        if (status == DNS_REFUSED) {
            q->noedns = 1;
            send_question(fd, q);
        } else if (status == DNS_FAILED) {
            give_up(a, q);
        } else {
            if (status == DNS_FOUND && !keep_answer(a, q, len))
                return 0;
            settle(a, q, status);
            a->dns->first = a->server;
        }
        return 1;
    }
    return 1;
}

/* Asks one server everything that is pending, and waits that long. Returns 1, or 0 with errno. */
static int
ask_server(struct asking *a, tain const *until)
{
    int fd = open_socket(a, SOCK_DGRAM);
    int good = 1;

    if (fd == -1 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
        return 0;
    a->open = 0;
    for (unsigned int i = 0; i < a->n; i++)
        if (a->q[i].pending) {
            a->q[i].pending = (unsigned char)(a->server + 1);
            a->open++;
            if (fd != -1)
                send_question(fd, a->q + i);
        }
    while (good && fd != -1 && a->open && wait_for(fd, IOPAUSE_READ, until)) {
        ssize_t len = recv(fd, a->answer, ANSWER_MAX, 0);
        if (len >= 0)
            good = take_datagram(a, fd, (size_t)len);
        else if (errno != EAGAIN && errno != EINTR) { /* nobody listens there */
            fd_close(fd);
            fd = -1;
        }
    }
    for (unsigned int i = 0; fd == -1 && i < a->n; i++)
        if (a->q[i].pending == a->server + 1)
            give_up(a, a->q + i);
    if (fd != -1)
        fd_close(fd);
    return good;
}

/* ---- all of them ---- */

static int
choose_ids(struct dns_question *q, unsigned int n)
{
    unsigned char ids[DNS_QUESTIONS][2];

    if (getrandom(ids, sizeof *ids * n, 0) != (ssize_t)(sizeof *ids * n))
        return 0;
    for (unsigned int i = 0; i < n; i++)
        memcpy(q[i].id, ids[i], 2); /* two may be equal: the question tells them apart */
    return 1;
}

static int
ask_rounds(struct asking *a)
{
    unsigned int first = a->dns->first;

    for (unsigned int round = 0; a->pending && tain_future(a->deadline); round++) {
        unsigned int cycle = round / a->dns->count;
        tain until;
        if (!(round % a->dns->count)) /* in a new cycle every server is asked again */
            for (unsigned int i = 0; i < a->n; i++)
                a->q[i].failures = 0;
        a->server = (first + round) % a->dns->count;
        tain_addsec_g(&until, FIRST_WAIT << (cycle < 3 ? cycle : 3));
        if (tain_less(a->deadline, &until))
            until = *a->deadline;
        if (!choose_ids(a->q, a->n) || !ask_server(a, &until))
            return 0;
    }
    return 1;
}

int
dns_ask(struct dns *d, struct dns_question *q, unsigned int n, tain const *deadline)
{
    unsigned char answer[ANSWER_MAX];
    struct asking a = {.dns = d, .q = q, .n = n, .deadline = deadline, .answer = answer};
    unsigned char packet[DNS_PACKET];

    if (!d->count || n > DNS_QUESTIONS)
        return (errno = EINVAL, 0);
    for (unsigned int i = 0; i < n; i++) {
        q[i].noedns = q[i].failures = 0;
        q[i].pending = dns_packet(q + i, packet) != 0;
        q[i].status = q[i].pending ? DNS_FAILED : DNS_NXDOMAIN; /* nobody is asked for what is no host name */
        a.pending += q[i].pending;
    }
    tain_now_g();
    return ask_rounds(&a);
}
