#include "tls/tlsproxy.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "lib/monotonic.h"
#include "lib/unstack.h"
#include "tls/choose.h"
#include "tls/record.h"
#include "tls/witness.h"

#define OUTPUT_MAX (4096 + 85) /* records we send are no longer: a session that is idle has touched little */
#define REST 1000              /* milliseconds without a word, after which the memory goes */
#define STALL 60               /* seconds without progress, once one side is over ... */
#define LAST 3600              /* ... and in all */
#define LINGER 2               /* for the client to close, so that it reads our last words */

int
tlsproxy_confine(void)
{
    static struct confine const c = {
        .as = 67108864,
        .nofile = 16,
        .fsize = CONFINE_SAME,
        .nproc = 0,
    };

    return confine(&c);
}

/* Pages of their own, which can be given back. */
struct buffers {
    unsigned char in[BR_SSL_BUFSIZE_INPUT], out[OUTPUT_MAX];
};

struct proxy {
    br_ssl_server_context tls;
    struct choose choose;
    struct witness witness;
    int plain;
    int told;            /* the program has the record */
    int plain_over;      /* the program has said all */
    int net_over;        /* the client has */
    int64_t stall, last; /* milliseconds; -1: never */
    uint32_t timeout;
    struct buffers *buffers;
};

enum outcome { MOVED, STUCK, OVER, BROKEN };

static enum outcome
outcome_of(ssize_t n)
{
    if (n > 0)
        return MOVED;
    if (!n)
        return OVER;
    return errno == EAGAIN || errno == EINTR ? STUCK : BROKEN;
}

/* From now on nobody waits for ever. */
static void
set_end(struct proxy *p)
{
    int64_t now = monotonic_ms();

    p->stall = now + STALL * 1000;
    if (p->last == -1)
        p->last = now + LAST * 1000;
}

/* ---- the four ways bytes go ---- */

static enum outcome
net_write(struct proxy *p)
{
    size_t len;
    unsigned char const *s = br_ssl_engine_sendrec_buf(&p->tls.eng, &len);
    ssize_t n = write(1, s, len);

    if (n > 0)
        br_ssl_engine_sendrec_ack(&p->tls.eng, (size_t)n);
    return outcome_of(n);
}

static enum outcome
net_read(struct proxy *p)
{
    size_t len;
    unsigned char *s = br_ssl_engine_recvrec_buf(&p->tls.eng, &len);
    ssize_t n = read(0, s, len);

    if (n > 0)
        br_ssl_engine_recvrec_ack(&p->tls.eng, (size_t)n);
    return outcome_of(n);
}

static enum outcome
plain_write(struct proxy *p)
{
    size_t len;
    unsigned char const *s = br_ssl_engine_recvapp_buf(&p->tls.eng, &len);
    ssize_t n = send(p->plain, s, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        br_ssl_engine_recvapp_ack(&p->tls.eng, (size_t)n);
    return outcome_of(n);
}

static enum outcome
plain_read(struct proxy *p)
{
    size_t len;
    unsigned char *s = br_ssl_engine_sendapp_buf(&p->tls.eng, &len);
    ssize_t n = recv(p->plain, s, len, MSG_DONTWAIT);

    if (n > 0) {
        br_ssl_engine_sendapp_ack(&p->tls.eng, (size_t)n);
        br_ssl_engine_flush(&p->tls.eng, 0);
    }
    return outcome_of(n);
}

/* ---- the handshake's end ---- */

static int
tell(struct proxy *p)
{
    struct record r = {.certified = p->witness.certified};
    br_ssl_session_parameters session;
    unsigned char s[RECORD_MAX];
    size_t len;

    br_ssl_engine_get_session_parameters(&p->tls.eng, &session);
    r.version = session.version;
    r.suite = session.cipher_suite;
    explicit_bzero(&session, sizeof session);
    memcpy(r.digest, p->witness.digest, sizeof r.digest);
    choose_name(&p->tls.eng, r.name);
    len = record_write(s, &r);
    p->told = 1;
    p->stall = p->last = -1;
    keyask_forget(p->choose.keys);
    return send(p->plain, s, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static char const *
client_address(void)
{
    char const *ip = getenv("TCPREMOTEIP");

    ip = ip ? ip : getenv("TCP6REMOTEIP");
    return ip ? ip : "unknown";
}

/* "handshake client=192.0.2.1 alert-sent=70": TLS's number of an alert, or BearSSL's of an error. */
static void
log_failure(struct proxy *p, char const *reason)
{
    struct log l;
    int e = br_ssl_engine_last_error(&p->tls.eng);

    log_start(&l, p->told ? "tls" : "handshake");
    log_str(&l, "client", client_address());
    if (reason)
        log_str(&l, "reason", reason);
    if (e >= BR_ERR_SEND_FATAL_ALERT)
        log_uint(&l, "alert-sent", (uint64_t)e - BR_ERR_SEND_FATAL_ALERT);
    else if (e >= BR_ERR_RECV_FATAL_ALERT)
        log_uint(&l, "alert-received", (uint64_t)e - BR_ERR_RECV_FATAL_ALERT);
    else if (e)
        log_uint(&l, "bearssl", (uint64_t)e);
    if (p->choose.problem) {
        log_str(&l, "key", p->choose.problem == ENOENT ? "no_certificate" : "pneu-keyd");
        log_errno(&l, p->choose.problem);
    }
    log_end(&l);
}

/* ---- the loop ---- */

/* The program has said all: so do we. */
static void
program_over(struct proxy *p)
{
    p->plain_over = 1;
    set_end(p);
    br_ssl_engine_close(&p->tls.eng);
}

/* The client has: the program hears it, and may still answer. */
static void
client_over(struct proxy *p)
{
    p->net_over = 1;
    set_end(p);
    shutdown(p->plain, SHUT_WR);
}

struct wants {
    int net_read, net_write, plain_read, plain_write;
};

static struct wants
wants_of(struct proxy const *p, unsigned int state)
{
    return (struct wants){
        .net_read = state & BR_SSL_RECVREC && !p->net_over,
        .net_write = (state & BR_SSL_SENDREC) != 0,
        .plain_read = p->told && state & BR_SSL_SENDAPP && !p->plain_over,
        .plain_write = (state & BR_SSL_RECVAPP) != 0,
    };
}

/* What has to go out first: nothing is read before it went, so that nothing piles up. Returns MOVED; STUCK; or BROKEN. */
static enum outcome
push(struct proxy *p, struct wants const *w)
{
    enum outcome net = w->net_write ? net_write(p) : STUCK, plain = w->plain_write ? plain_write(p) : STUCK;

    if (net == BROKEN || plain == BROKEN)
        return BROKEN;
    return net == MOVED || plain == MOVED ? MOVED : STUCK;
}

static int
patience(struct proxy const *p)
{
    int64_t end = p->last != -1 && p->last < p->stall ? p->last : p->stall;
    int64_t left = end - monotonic_ms();

    return end == -1 ? -1 : left < 0 ? 0 : (int)left;
}

/* Part of a record has come, and more of it has not been taken yet. */
static int
in_record(struct proxy const *p)
{
    size_t len;
    unsigned char const *next = br_ssl_engine_recvrec_buf(&p->tls.eng, &len);

    return next && next != p->buffers->in;
}

/* Nobody has said anything for a while: gives back the buffers, with the words that were in them, and the stack. */
static void
rest(struct proxy *p)
{
    size_t len;

    /* At the start of a record; of ours none is there, or it would be on its way. */
    if (br_ssl_engine_recvrec_buf(&p->tls.eng, &len) == p->buffers->in)
        (void)madvise(p->buffers, sizeof *p->buffers, MADV_DONTNEED);
    unstack();
}

static int
await(struct proxy *p, struct wants const *w, struct pollfd x[static 3])
{
    int wait = patience(p), n;

    if (wait != -1 || w->net_write || w->plain_write)
        return poll(x, 3, wait);
    n = poll(x, 3, REST);
    if (n)
        return n;
    rest(p);
    return poll(x, 3, -1);
}

/* Waits for one of them, and reads. Returns MOVED, or BROKEN, or OVER if it took too long. */
static enum outcome
pull(struct proxy *p, struct wants const *w)
{
    enum outcome net = STUCK, plain = STUCK;
    int watch = p->told && p->last == -1; /* for a program that is gone, also where nothing of it can be read now */
    struct pollfd x[3] = {
        {.fd = w->net_read ? 0 : -1, .events = POLLIN},
        {.fd = w->net_write ? 1 : -1, .events = POLLOUT},
        {.fd = w->plain_read || w->plain_write || watch ? p->plain : -1,
         .events = (short)((w->plain_read ? POLLIN : 0) | (w->plain_write ? POLLOUT : 0))},
    };
    int n = await(p, w, x);

    if (!n)
        return OVER;
    if (n == -1)
        return errno == EINTR ? MOVED : BROKEN;
    /* Behind a record's header there is its body, most likely: what is not there will be polled for. */
    if (x[0].revents)
        for (net = net_read(p); net == MOVED && in_record(p);)
            if (net_read(p) != MOVED)
                break;
    /* The engine may have been closed by what came. */
    if (x[2].revents & (POLLIN | POLLHUP | POLLERR) && w->plain_read &&
        br_ssl_engine_current_state(&p->tls.eng) & BR_SSL_SENDAPP)
        plain = plain_read(p);
    if (watch && x[2].revents & POLLHUP)
        set_end(p);
    if (net == BROKEN || plain == BROKEN)
        return BROKEN;
    if (net == OVER)
        client_over(p);
    if (plain == OVER)
        program_over(p);
    return MOVED;
}

/* Nothing can come or go any more. */
static int
is_over(struct proxy const *p, unsigned int state, struct wants const *w)
{
    if (state & BR_SSL_CLOSED || (!p->told && p->net_over))
        return 1;
    if (p->plain_over)
        return !w->net_write && !w->plain_write; /* our close_notify is gone; his is not waited for here */
    return 0;
}

/* Returns NULL, or what ended it. */
static char const *
carry(struct proxy *p)
{
    for (;;) {
        unsigned int state = br_ssl_engine_current_state(&p->tls.eng);
        if (!p->told && state & BR_SSL_SENDAPP && !tell(p))
            return "program";
        struct wants w = wants_of(p, state);
        if (is_over(p, state, &w))
            return NULL;
        enum outcome o = push(p, &w);
        if (o == STUCK)
            o = pull(p, &w);
        else if (o == MOVED && p->told && p->stall != -1)
            p->stall = monotonic_ms() + STALL * 1000;
        if (o == BROKEN)
            return "broken";
        if (o == OVER)
            return "timeout";
    }
}

/* The client may still be reading: if we closed over words of his that nobody read, the kernel would tell him to forget ours. */
static void
linger(void)
{
    char waste[4096];
    int64_t end = monotonic_ms() + LINGER * 1000, left;
    struct pollfd x = {.fd = 0, .events = POLLIN};

    if (shutdown(1, SHUT_WR) == -1)
        return;
    while ((left = end - monotonic_ms()) > 0 && poll(&x, 1, (int)left) > 0)
        if (read(0, waste, sizeof waste) <= 0 && errno != EINTR)
            return;
}

/* The program hears that the client is gone, and ends in its own time, which it keeps. It may wait for somebody until then, and
 * as long as it does there is a connection to count. */
static void
outlive(int plain)
{
    char waste[4096];
    ssize_t n;

    if (shutdown(plain, SHUT_WR) == -1 && errno != ENOTCONN)
        return;
    do
        n = recv(plain, waste, sizeof waste, 0);
    while (n > 0 || (n == -1 && errno == EINTR));
}

static int
begin(struct proxy *p, struct tlsproxy_settings const *settings, struct keyask *keys)
{
    static unsigned char nameless[] = {0x30, 0}; /* an X.500 name without parts: no authority in particular */
    static br_x500_name const authority = {nameless, sizeof nameless};
    unsigned char seed[32];
    br_ssl_engine_context *e = &p->tls.eng;

    br_ssl_server_zero(&p->tls);
    tlssuite_engine(e, settings->suites, settings->count, settings->lowest);
    br_ssl_engine_set_all_flags(e, BR_OPT_ENFORCE_SERVER_PREFERENCES | BR_OPT_NO_RENEGOTIATION |
                                       (settings->ask ? BR_OPT_TOLERATE_NO_CLIENT_AUTH : 0));
    choose_init(&p->choose, e, keys);
    br_ssl_server_set_policy(&p->tls, &p->choose.vtable);
    witness_init(&p->witness);
    if (settings->ask) {
        br_ssl_engine_set_default_rsavrfy(e);
        br_ssl_engine_set_default_ecdsa(e);
        br_ssl_engine_set_x509(e, &p->witness.vtable);
        br_ssl_server_set_trust_anchor_names(&p->tls, &authority, 1);
    }
    br_ssl_engine_set_buffers_bidi(e, p->buffers->in, sizeof p->buffers->in, p->buffers->out, sizeof p->buffers->out);
    /* A handshake is many small records, none of which may wait for the other side's acknowledgement; pipes have no such thing. */
    (void)setsockopt(1, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return 0;
    br_ssl_engine_inject_entropy(e, seed, sizeof seed);
    explicit_bzero(seed, sizeof seed);
    return br_ssl_server_reset(&p->tls) && fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK) != -1 &&
           fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK) != -1;
}

/* On the heap, of whose first pages little is used. */
static struct proxy *
make(uint32_t timeout, int plain)
{
    struct proxy *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->buffers = mmap(NULL, sizeof *p->buffers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p->plain = plain;
    p->last = -1;
    p->stall = monotonic_ms() + (int64_t)timeout * 1000;
    if (p->buffers != MAP_FAILED)
        return p;
    free(p);
    return NULL;
}

static int
serve(struct proxy *p)
{
    char const *reason = carry(p);

    if (!reason && !p->told && p->net_over)
        reason = "eof";
    /* An alert that says why. */
    while (br_ssl_engine_current_state(&p->tls.eng) & BR_SSL_SENDREC && net_write(p) == MOVED)
        ;
    if (reason || !p->told || br_ssl_engine_last_error(&p->tls.eng))
        log_failure(p, reason);
    if (!reason && !p->net_over)
        linger();
    close(0);
    close(1);
    outlive(p->plain);
    return p->told ? 0 : EXIT_PERM;
}

int
tlsproxy_run(struct tlsproxy_settings const *settings, struct keyask *keys, int plain)
{
    struct proxy *p = make(settings->timeout, plain);
    int code = p && begin(p, settings, keys) ? serve(p) : EXIT_TEMP;

    free(p);
    return code;
}
