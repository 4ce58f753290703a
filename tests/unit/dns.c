/* lib/dns: packets made by hand, most of them hostile; then the resolver against a server of our own that lies. */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/dns.h"
#include "tests/tap.h"

/* ---- packets ---- */

struct packet {
    unsigned char s[65536];
    size_t len;
};

static void
put(struct packet *p, void const *s, size_t len)
{
    memcpy(p->s + p->len, s, len);
    p->len += len;
}

static void
put16(struct packet *p, unsigned int n)
{
    unsigned char two[2] = {(unsigned char)(n >> 8), (unsigned char)n};

    put(p, two, 2);
}

static void
put_name(struct packet *p, char const *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        unsigned char len = (unsigned char)n;
        put(p, &len, 1);
        put(p, name, n);
        name += n + (name[n] == '.');
    }
    put(p, "", 1);
}

/* Header and question. */
static void
begin(struct packet *p, struct dns_question const *q, unsigned int flags, unsigned int answers)
{
    p->len = 0;
    put(p, q->id, 2);
    put16(p, flags);
    put16(p, 1);
    put16(p, answers);
    put16(p, 0);
    put16(p, 0);
    put_name(p, q->name);
    put16(p, q->type);
    put16(p, 1);
}

#define AT_QUESTION "\xc0\x0c" /* a pointer to the question's name */

/* A record with its owner as it is on the wire. */
static void
record(struct packet *p, void const *owner, size_t ownerlen, unsigned int type, void const *data, size_t len)
{
    put(p, owner, ownerlen);
    put16(p, type);
    put16(p, 1);
    put(p, "\0\0\0\1", 4);
    put16(p, (unsigned int)len);
    put(p, data, len);
}

static void
cname(struct packet *p, char const *from, char const *to)
{
    struct packet *a = malloc(sizeof *a);
    struct packet *b = malloc(sizeof *b);

    a->len = b->len = 0;
    put_name(a, from);
    put_name(b, to);
    record(p, a->s, a->len, DNS_TYPE_CNAME, b->s, b->len);
    free(a);
    free(b);
}

static void
address(struct packet *p, char const *owner, char const *four)
{
    struct packet *a = malloc(sizeof *a);

    a->len = 0;
    put_name(a, owner);
    record(p, a->s, a->len, DNS_TYPE_A, four, 4);
    free(a);
}

static void
mx(struct packet *p, unsigned int preference, char const *name)
{
    struct packet *a = malloc(sizeof *a);

    a->len = 0;
    put16(a, preference);
    put_name(a, name);
    record(p, AT_QUESTION, 2, DNS_TYPE_MX, a->s, a->len);
    free(a);
}

static struct packet p;
static struct dns_question qa = DNS_QUESTION("example.org", DNS_TYPE_A);
static struct dns_question q6 = DNS_QUESTION("example.org", DNS_TYPE_AAAA);
static struct dns_question qm = DNS_QUESTION("example.org", DNS_TYPE_MX);

static void
judge(struct dns_question *q, enum dns_status want, char const *what)
{
    /* on the heap, so that a byte too far is seen */
    unsigned char *copy = malloc(p.len ? p.len : 1);

    memcpy(copy, p.s, p.len);
    q->status = dns_judge(q, copy, p.len);
    ok(q->status == want, "%s: %d is %d", what, (int)q->status, (int)want);
    if (q->status == DNS_FOUND)
        stralloc_copyb(&q->answer, (char *)copy, p.len);
    free(copy);
}

static void
test_foreign(void)
{
    begin(&p, &qa, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_A, "\1\2\3\4", 4);
    judge(&qa, DNS_FOUND, "an answer");
    p.s[0] ^= 1;
    judge(&qa, DNS_FOREIGN, "wrong id");
    p.s[0] ^= 1, p.s[2] = 1;
    judge(&qa, DNS_FOREIGN, "a question, no answer");
    p.s[2] = 0x81 | 0x20;
    judge(&qa, DNS_FOREIGN, "another opcode");
    p.s[2] = 0x81;
    judge(&qm, DNS_FOREIGN, "another type asked");
    p.s[13] ^= 0x20;
    judge(&qa, DNS_FOUND, "upper case in the echo");
    p.s[13] ^= 1;
    judge(&qa, DNS_FOREIGN, "another name in the echo");
    begin(&p, &qa, 0x8180, 0);
    p.s[p.len - 1] = 3;
    judge(&qa, DNS_FOREIGN, "another class in the echo");
    begin(&p, &qa, 0x8180, 0);
    p.s[5] = 0, p.len = 12;
    judge(&qa, DNS_FOREIGN, "no question in it");
    for (p.len = 0; p.len < 12; p.len++)
        judge(&qa, DNS_FOREIGN, "shorter than a header");
    begin(&p, &qa, 0x8380, 0);
    judge(&qa, DNS_CUT, "cut");
    begin(&p, &qa, 0x8380, 9);
    p.len--;
    judge(&qa, DNS_CUT, "cut, in the middle");
}

static void
test_codes(void)
{
    begin(&p, &qa, 0x8180, 0);
    judge(&qa, DNS_NODATA, "no records");
    begin(&p, &qa, 0x8183, 0);
    judge(&qa, DNS_NXDOMAIN, "NXDOMAIN");
    begin(&p, &qa, 0x8182, 0);
    judge(&qa, DNS_FAILED, "SERVFAIL");
    begin(&p, &qa, 0x8185, 0);
    judge(&qa, DNS_FAILED, "REFUSED");
    begin(&p, &qa, 0x8181, 0);
    judge(&qa, DNS_REFUSED, "FORMERR");
    p.s[5] = 0, p.len = 12;
    judge(&qa, DNS_REFUSED, "FORMERR, the header alone");
    qa.noedns = 1;
    begin(&p, &qa, 0x8181, 0);
    judge(&qa, DNS_FAILED, "FORMERR without EDNS");
    qa.noedns = 0;
    begin(&p, &qa, 0x8180, 1);
    mx(&p, 10, "mx.example.org");
    judge(&qa, DNS_NODATA, "records of another type");
    begin(&p, &qa, 0x8180, 1);
    address(&p, "other.example.org", "\1\2\3\4");
    judge(&qa, DNS_NODATA, "records of another name");
}

static void
test_damaged(void)
{
    begin(&p, &qa, 0x8180, 1);
    judge(&qa, DNS_FOREIGN, "fewer records than promised");
    begin(&p, &qa, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_A, "\1\2\3", 3);
    judge(&qa, DNS_FAILED, "an address of three bytes");
    begin(&p, &q6, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_AAAA, "\1\2\3\4", 4);
    judge(&q6, DNS_FAILED, "an IPv6 address of four");
    for (size_t cut = 1; cut < 16; cut++) {
        begin(&p, &qa, 0x8180, 1);
        record(&p, AT_QUESTION, 2, DNS_TYPE_A, "\1\2\3\4", 4);
        p.len -= cut;
        judge(&qa, DNS_FOREIGN, "cut without saying so");
    }
    begin(&p, &qm, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, "\0\12", 2);
    judge(&qm, DNS_FAILED, "an MX without a name");
    begin(&p, &qm, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, "\0\12\77a", 4);
    judge(&qm, DNS_FAILED, "an MX whose name goes on behind it");
    begin(&p, &qm, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, "\0\12\1a\0xyz", 8);
    judge(&qm, DNS_FAILED, "an MX with bytes behind its name");
    begin(&p, &qa, 0x8180, 1);
    record(&p, "\xc0\x1d", 2, DNS_TYPE_A, "\1\2\3\4", 4);
    p.s[p.len - 16] = 0xc0, p.s[p.len - 15] = (unsigned char)(p.len - 16);
    judge(&qa, DNS_FAILED, "an owner that points to itself");
    begin(&p, &qa, 0x8180, 1);
    record(&p, "\xc0\xff", 2, DNS_TYPE_A, "\1\2\3\4", 4);
    judge(&qa, DNS_FAILED, "an owner behind the end");
    begin(&p, &qm, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, "\0\12\xc0\x0c", 4);
    p.s[p.len - 1] = (unsigned char)(p.len - 2);
    judge(&qm, DNS_FAILED, "an MX that points to itself");
    begin(&p, &qm, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, "\0\12\x81\x01", 4);
    judge(&qm, DNS_FAILED, "a label of a kind that does not exist");
}

/* A chain of pointers, each to the one before: a few bytes that unfold to a long name. */
static void
test_bomb(void)
{
    begin(&p, &qm, 0x8180, 1);
    size_t at = p.len + 2 + 2 + 2 + 4 + 2 + 2;
    unsigned char data[4096] = {0, 10};
    size_t len = 2;
    for (int i = 0; i < 100; i++) {
        memcpy(data + len,
               "\77"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
               64);
        len += 64;
        if (len > 3900)
            break;
    }
    data[len++] = 0;
    record(&p, AT_QUESTION, 2, DNS_TYPE_MX, data, len);
    (void)at;
    judge(&qm, DNS_FAILED, "a name of 4 kB");
}

static void
test_chains(void)
{
    char from[32], to[32];

    for (int n = 1; n <= 10; n++) {
        begin(&p, &qa, 0x8180, (unsigned int)n + 1);
        strcpy(from, "example.org");
        for (int i = n; i; i--) { /* in the order that is worst */
            snprintf(to, sizeof to, "c%d.example.org", n - i);
            cname(&p, from, to);
            strcpy(from, to);
        }
        address(&p, from, "\1\2\3\4");
        judge(&qa, n <= DNS_CNAMES ? DNS_FOUND : DNS_FAILED, "a chain of aliases");
    }
    begin(&p, &qa, 0x8180, 2);
    cname(&p, "example.org", "a.example.org");
    cname(&p, "a.example.org", "example.org");
    judge(&qa, DNS_FAILED, "aliases in a circle");
    begin(&p, &qa, 0x8180, 1);
    cname(&p, "example.org", "example.org");
    judge(&qa, DNS_FAILED, "an alias of itself");
    begin(&p, &qa, 0x8180, 2);
    cname(&p, "example.org", "b.example.org");
    address(&p, "example.org", "\1\2\3\4");
    judge(&qa, DNS_NODATA, "an alias with an address beside it");
    begin(&p, &qa, 0x8183, 1);
    cname(&p, "example.org", "gone.example.org");
    judge(&qa, DNS_NXDOMAIN, "an alias of nothing");
}

static void
test_lists(void)
{
    struct dns_mx list[DNS_MX];
    struct ip ips[DNS_ADDRESSES];
    char name[64];

    begin(&p, &qm, 0x8180, 20);
    for (unsigned int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "MX%u.Example.ORG", i);
        mx(&p, 100 - i, name);
    }
    judge(&qm, DNS_FOUND, "20 MX");
    ok(dns_mx(&qm, list, DNS_MX) == DNS_MX, "16 are taken");
    ok(list[0].preference == 81 && !strcmp(list[0].name, "mx19.example.org") && list[15].preference == 96,
       "the best ones");
    begin(&p, &qm, 0x8180, 1);
    mx(&p, 0, "");
    judge(&qm, DNS_FOUND, "null MX");
    ok(dns_mx(&qm, list, DNS_MX) == 1 && list[0].null && !*list[0].name, "is one");
    static char const *const names[] = {"a;b.example.org",   "$(id).example.org", "a b.example.org", "a\nb.example.org",
                                        "a/b.example.org",   "-a.example.org",    "a'.example.org",  "\xff.example.org",
                                        "a\\.b.example.org", "a@b.example.org",   "`id`.example.org"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin(&p, &qm, 0x8180, 1);
        mx(&p, 5, names[i]);
        judge(&qm, DNS_FOUND, "a name that is none");
        ok(dns_mx(&qm, list, DNS_MX) == 1 && !*list[0].name && !list[0].null, "and is not used");
    }
    begin(&p, &qa, 0x8180, 1300);
    for (int i = 0; i < 1300; i++)
        record(&p, AT_QUESTION, 2, DNS_TYPE_A, "\12\0\0\1", 4);
    judge(&qa, DNS_FOUND, "1300 addresses");
    ok(dns_addresses(&qa, ips, DNS_ADDRESSES) == DNS_ADDRESSES, "16 are taken");
    begin(&p, &q6, 0x8180, 1);
    record(&p, AT_QUESTION, 2, DNS_TYPE_AAAA, "\0\0\0\0\0\0\0\0\0\0\xff\xff\177\0\0\1", 16);
    judge(&q6, DNS_FOUND, "127.0.0.1 in IPv6 clothes");
    ok(dns_addresses(&q6, ips, DNS_ADDRESSES) == 1 && !ips->is6 && ip_isloopback(ips), "is 127.0.0.1");
    begin(&p, &qa, 0x8180, 4090);
    while (p.len + 16 <= 65535)
        record(&p, AT_QUESTION, 2, DNS_TYPE_A, "\12\0\0\1", 4);
    p.s[6] = (unsigned char)((p.len - 29) / 16 >> 8), p.s[7] = (unsigned char)((p.len - 29) / 16);
    judge(&qa, DNS_FOUND, "64 kB of addresses");
    /* every byte once wrong: nothing may happen */
    for (size_t i = 0; i < 2000; i++) {
        begin(&p, &qm, 0x8180, 3);
        mx(&p, 10, "a.example.org");
        mx(&p, 60, "b.example.org");
        mx(&p, 30, "c.example.org");
        p.s[i % p.len] ^= (unsigned char)(1 + i * 7 % 255);
        qm.status = dns_judge(&qm, p.s, p.len);
        stralloc_copyb(&qm.answer, (char *)p.s, p.len);
        dns_mx(&qm, list, DNS_MX);
    }
    ok(1, "2000 packets with a wrong byte");
}

static void
test_packet(void)
{
    static char const *const bad[] = {"", ".", "a..b", "a b", "-a", "a-", "a;b", "\xc3\xa9.org", "a.b..", ".a"};
    unsigned char s[DNS_PACKET];
    char name[300];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dns_question q = DNS_QUESTION(bad[i], DNS_TYPE_A);
        ok(!dns_packet(&q, s), "not asked: %zu", i);
    }
    memset(name, 'a', sizeof name);
    for (int i = 50; i < 300; i += 50)
        name[i] = '.';
    name[253] = 0;
    struct dns_question q = DNS_QUESTION(name, DNS_TYPE_MX);
    ok(dns_packet(&q, s) == 12 + 255 + 4 + 11, "the longest name");
    name[253] = 'a', name[254] = 0;
    ok(!dns_packet(&q, s), "one byte more");
    struct dns_question dot = DNS_QUESTION("example.org.", DNS_TYPE_A);
    ok(dns_packet(&dot, s) == 12 + 13 + 4 + 11 && s[2] == 1 && s[11] == 1, "a dot at the end; recursion and EDNS");
}

/* ---- a server that does what the first label says ---- */

/* Answers one question at `in`. Returns 0 if it keeps silent. */
static int
answer(unsigned char const *in, size_t inlen, int tcp, struct packet *out)
{
    char label[64];
    size_t end = 12 + strlen((char const *)in + 12) + 1 + 4;

    memcpy(label, in + 13, in[12]);
    label[in[12]] = 0;
    out->len = 0;
    put(out, in, end);
    memcpy(out->s + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    if (!strcmp(label, "silent"))
        return 0;
    if (!strcmp(label, "servfail"))
        out->s[3] = 0x82;
    else if (!strcmp(label, "nx"))
        out->s[3] = 0x83;
    else if (!strcmp(label, "cut") && !tcp)
        out->s[2] |= 2;
    else if (!strcmp(label, "always"))
        out->s[2] |= 2;
    else if (!strcmp(label, "noedns") && inlen > end) {
        out->s[3] = 0x81;
        out->s[5] = 0;
        out->len = 12;
    } else if (!strcmp(label, "wrongid"))
        out->s[0] ^= 0x55;
    else if (!strcmp(label, "wrongname"))
        out->s[13] ^= 1;
    if (out->len > 12 && !(out->s[3] & 15) && !(out->s[2] & 2)) {
        out->s[7] = 1;
        record(out, AT_QUESTION, 2, DNS_TYPE_A, "\12\1\2\3", 4);
    }
    return 1;
}

static void
serve(int udp, int tcp)
{
    static struct packet out;
    unsigned char in[2048];
    struct pollfd x[2] = {{.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};

    for (;;) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        poll(x, 2, -1);
        if (x[0].revents) {
            ssize_t n = recvfrom(udp, in, sizeof in, 0, (struct sockaddr *)&from, &len);
            int lies = n > 18 && (!memcmp(in + 13, "wrong", 5));
            if (n > 12 && answer(in, (size_t)n, 0, &out)) {
                sendto(udp, out.s, out.len, 0, (struct sockaddr *)&from, len);
                if (lies && in[12] == 9) { /* wrongname: the right one comes behind it */
                    out.s[13] ^= 1;
                    sendto(udp, out.s, out.len, 0, (struct sockaddr *)&from, len);
                } else if (lies) {
                    out.s[0] ^= 0x55;
                    sendto(udp, out.s, out.len, 0, (struct sockaddr *)&from, len);
                }
            }
        }
        if (x[1].revents) {
            int fd = accept(tcp, 0, 0);
            ssize_t n = recv(fd, in, sizeof in, 0);
            if (n > 14 && answer(in + 2, (size_t)n - 2, 1, &out)) {
                unsigned char head[2] = {(unsigned char)(out.len >> 8), (unsigned char)out.len};
                send(fd, head, 1, MSG_NOSIGNAL); /* in pieces */
                send(fd, head + 1, 1, MSG_NOSIGNAL);
                for (size_t i = 0; i < out.len; i += 7)
                    send(fd, out.s + i, out.len - i < 7 ? out.len - i : 7, MSG_NOSIGNAL);
            }
            close(fd);
        }
    }
}

static pid_t
start(uint16_t *port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof here;
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    int tries = 0;

    do {
        here.sin_port = 0;
        if (bind(udp, (struct sockaddr *)&here, len) == -1 || getsockname(udp, (struct sockaddr *)&here, &len) == -1)
            exit(1);
        if (bind(tcp, (struct sockaddr *)&here, len) == 0)
            break;
        close(udp);
        udp = socket(AF_INET, SOCK_DGRAM, 0);
    } while (++tries < 20);
    listen(tcp, 20);
    *port = ntohs(here.sin_port);
    pid_t pid = fork();
    if (!pid)
        serve(udp, tcp);
    close(udp);
    close(tcp);
    return pid;
}

static void
ask(struct dns *d, char const *name, enum dns_status want, int seconds, char const *what)
{
    struct dns_question q = DNS_QUESTION(name, DNS_TYPE_A);
    struct ip ip;
    tain deadline;

    tain_now_g();
    tain_addsec_g(&deadline, seconds);
    dns_ask(d, &q, 1, &deadline);
    int good = q.status == want && (want != DNS_FOUND || (dns_addresses(&q, &ip, 1) == 1 && ip.b[0] == 10));
    tain_now_g();
    ok(good && tain_less(&STAMP, &deadline) == (want != DNS_FAILED || seconds > 2), "%s", what);
    dns_free(&q, 1);
}

static void
test_live(void)
{
    struct dns d = {.count = 0};
    struct dns nobody = {.count = 0};
    struct dns_question all[40];
    char names[40][32], text[32];
    uint16_t port;
    tain deadline;
    pid_t pid = start(&port);
    int found = 0;

    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ok(dns_server(&d, text, strlen(text)), "a server with a port");
    ask(&d, "good.test", DNS_FOUND, 60, "an answer");
    ask(&d, "nx.test", DNS_NXDOMAIN, 60, "NXDOMAIN");
    ask(&d, "servfail.test", DNS_FAILED, 60, "SERVFAIL of the only server is final");
    ask(&d, "silent.test", DNS_FAILED, 2, "the deadline");
    ask(&d, "cut.test", DNS_FOUND, 60, "TCP, where the answer is cut");
    ask(&d, "always.test", DNS_FAILED, 60, "cut by TCP too");
    ask(&d, "noedns.test", DNS_FOUND, 60, "without EDNS");
    ask(&d, "wrongid.test", DNS_FOUND, 60, "a forged id is passed over");
    ask(&d, "wrongname.test", DNS_FOUND, 60, "a forged question too");
    ask(&d, "not a host", DNS_NXDOMAIN, 60, "no host name");
    for (unsigned int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "n%u.test", i);
        all[i] = (struct dns_question)DNS_QUESTION(names[i], DNS_TYPE_A);
    }
    tain_addsec_g(&deadline, 60);
    ok(dns_ask(&d, all, 40, &deadline), "40 questions at once");
    for (unsigned int i = 0; i < 40; i++)
        found += all[i].status == DNS_FOUND;
    ok(found == 40, "40 answers");
    dns_free(all, 40);
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
    ask(&d, "good.test", DNS_FAILED, 60, "nobody listens there");
    pid = start(&port);
    dns_server(&nobody, text, strlen(text));
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    dns_server(&nobody, text, strlen(text));
    ask(&nobody, "good.test", DNS_FOUND, 60, "the second server");
    ok(nobody.first == 1, "is asked first from then on");
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
}

static void
test_resolvconf(void)
{
    static char const text[] =
        "# x\nsearch a b\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # y\nnameserverx 192.0.2.9\n"
        " nameserver 192.0.2.8\nnameserver rubbish\nnameserver 192.0.2.3";
    char path[] = "/tmp/pneu-dns.XXXXXX";
    struct dns d = {.count = 0};
    struct dns none = {.count = 0};
    int fd = mkstemp(path);

    ok(write(fd, text, sizeof text - 1) > 0 && dns_resolvconf(&d, path), "resolv.conf");
    ok(d.count == 3 && d.servers[1].ip.is6 && d.servers[2].ip.b[3] == 3 && d.servers[2].port == 53, "three servers");
    close(fd);
    unlink(path);
    ok(dns_resolvconf(&none, path) && none.count == 1 && none.servers[0].ip.b[0] == 127, "none: this host");
    ok(!dns_server(&none, "192.0.2.1:0", 11) && !dns_server(&none, "192.0.2.1:70000", 15) && !dns_server(&none, "x", 1),
       "rubbish");
}

int
main(void)
{
    tain_now_set_stopwatch_g();
    test_packet();
    test_foreign();
    test_codes();
    test_damaged();
    test_bomb();
    test_chains();
    test_lists();
    test_resolvconf();
    test_live();
    return tap_done();
}
