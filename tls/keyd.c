#include "tls/keyd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/log.h"
#include "lib/monotonic.h"

#define PAUSE 1000 /* milliseconds without accepting where descriptors are short */

int
keyd_confine(void)
{
    static struct confine_path const paths[] = {
        {KEYSTORE_FOLDER, CONFINE_PATH_READ},
        {"control", CONFINE_PATH_READ},
    };
    static struct confine const c = {
        .may = CONFINE_READ | CONFINE_ACCEPT,
        .paths = paths,
        .npaths = sizeof paths / sizeof *paths,
        .as = 67108864,
        .nofile = KEYD_CONNECTIONS + 24,
        .fsize = CONFINE_SAME,
        .nproc = 0,
    };

    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && confine(&c);
}

static void
end(struct keyd_connection *c)
{
    close(c->fd);
    keystore_release(c->pair);
    explicit_bzero(c->in, c->len);
    c->fd = -1;
    c->pair = NULL;
    c->len = 0;
}

/* ---- answers ---- */

/* An answer that does not fit into the socket is not waited for. Returns 1 if it is on its way. */
static int
answer(struct keyd_connection *c, enum keywire_status status, void const *s, size_t len)
{
    unsigned char frame[KEYWIRE_HEADER + 1 + KEYWIRE_SIGNATURE_MAX];

    if (len > KEYWIRE_SIGNATURE_MAX)
        return 0;
    keywire_header(frame, 1 + len);
    frame[KEYWIRE_HEADER] = (unsigned char)status;
    if (len)
        memcpy(frame + KEYWIRE_HEADER + 1, s, len);
    len += KEYWIRE_HEADER + 1;
    return send(c->fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* Returns 1 if the connection goes on. */
static int
choose(struct keyd *d, struct keyd_connection *c, struct keywire_request const *r)
{
    unsigned char head[KEYWIRE_HEADER + 3];

    if (c->pair)
        return (void)answer(c, KEYWIRE_NEVER, NULL, 0), 0;
    c->pair = keystore_find(&d->store, r->name);
    if (!c->pair)
        return (void)answer(c, KEYWIRE_NONE, NULL, 0), 0;
    struct keystore_pair const *p = c->pair;
    br_ec_private_key const *ec = br_skey_decoder_get_ec(&p->key);
    keywire_header(head, 3 + p->chain.len);
    head[KEYWIRE_HEADER] = KEYWIRE_YES;
    head[KEYWIRE_HEADER + 1] = (unsigned char)br_skey_decoder_key_type(&p->key);
    head[KEYWIRE_HEADER + 2] = ec ? (unsigned char)ec->curve : 0;
    return send(c->fd, head, sizeof head, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE) == (ssize_t)sizeof head &&
           send(c->fd, p->chain.s, p->chain.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)p->chain.len;
}

static void
complain(struct keyd *d, enum keyd_reason reason)
{
    static char const *const names[KEYD_REASONS] = {
        [KEYD_RATE] = "rate",           [KEYD_UNCHOSEN] = "sign-before-choose", [KEYD_SCHEME] = "scheme",
        [KEYD_MALFORMED] = "malformed", [KEYD_STRANGER] = "stranger",
    };
    struct log l;
    int64_t now = monotonic_ms();

    if (d->complained[reason] && now - d->complained[reason] < 1000)
        return;
    d->complained[reason] = now;
    log_start(&l, "refused");
    log_str(&l, "reason", names[reason]);
    log_end(&l);
}

/* A bucket that holds a second's signatures. */
static int
within_rate(struct keyd *d)
{
    int64_t now = monotonic_ms();

    d->allowance += (double)(now - d->last) * d->rate / 1000;
    d->last = now;
    if (d->allowance > d->rate)
        d->allowance = d->rate;
    if (d->allowance < 1)
        return 0;
    d->allowance -= 1;
    return 1;
}

static void
sign(struct keyd *d, struct keyd_connection *c, struct keywire_request const *r)
{
    unsigned char signature[KEYWIRE_SIGNATURE_MAX];
    size_t len;

    if (!c->pair) {
        complain(d, KEYD_UNCHOSEN);
        (void)answer(c, KEYWIRE_NEVER, NULL, 0);
        return;
    }
    if (!within_rate(d)) {
        complain(d, KEYD_RATE);
        (void)answer(c, KEYWIRE_LATER, NULL, 0);
        return;
    }
    len = keystore_sign(c->pair, r, d->legacy, signature);
    if (!len)
        complain(d, KEYD_SCHEME);
    (void)answer(c, len ? KEYWIRE_YES : KEYWIRE_NEVER, signature, len);
}

/* ---- connections ---- */

static void
serve(struct keyd *d, struct keyd_connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, sizeof c->in - c->len, MSG_DONTWAIT);
    struct keywire_request r;
    int got;

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(c);
        return;
    }
    c->len += (size_t)n;
    struct bytes in = {(char const *)c->in, c->len};
    got = keywire_take(&in, &r);
    if (!got)
        return;
    if (got == -1)
        complain(d, KEYD_MALFORMED);
    /* Whoever asks a second thing before he has the answer to the first is not pneu-tlsd. */
    int goes_on = got == 1 && !in.len;
    if (goes_on && r.type == KEYWIRE_SIGN) {
        sign(d, c, &r);
        goes_on = 0;
    }
    if (goes_on && choose(d, c, &r))
        c->len = 0;
    else
        end(c);
}

static struct keyd_connection *
room(struct keyd *d)
{
    struct keyd_connection *oldest = d->connections;

    for (size_t i = 0; i < d->count; i++) {
        if (d->connections[i].fd == -1)
            return d->connections + i;
        if (d->connections[i].began < oldest->began)
            oldest = d->connections + i;
    }
    if (d->count < KEYD_CONNECTIONS)
        return d->connections + d->count++;
    end(oldest);
    return oldest;
}

/* Returns 0 if the system is short of something: pause then. */
static int
take(struct keyd *d, int64_t now)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);

    if (fd == -1)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 || peer.uid != d->pneud) {
        complain(d, KEYD_STRANGER);
        close(fd);
        return 1;
    }
    struct keyd_connection *c = room(d);
    c->fd = fd;
    c->began = now;
    return 1;
}

/* Those that last too long are over. Returns when the next one will be, -1: never. */
static int
expire(struct keyd *d, int64_t now)
{
    int64_t next = -1;

    while (d->count && d->connections[d->count - 1].fd == -1)
        d->count--;
    for (size_t i = 0; i < d->count; i++) {
        struct keyd_connection *c = d->connections + i;
        int64_t left = c->began + KEYD_PATIENCE * 1000 - now;
        if (c->fd != -1 && left <= 0)
            end(c);
        else if (c->fd != -1 && (next == -1 || left < next))
            next = left;
    }
    return (int)next;
}

void
keyd_init(struct keyd *d)
{
    d->last = d->refreshed = monotonic_ms();
    d->allowance = d->rate;
}

int
keyd_run(struct keyd *d, int signals)
{
    static struct pollfd x[2 + KEYD_CONNECTIONS];
    int resting = 0;

    if (fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK) == -1)
        return 0;
    for (;;) {
        int64_t now = monotonic_ms();
        int wait = expire(d, now);
        x[0] = (struct pollfd){.fd = signals, .events = POLLIN};
        x[1] = (struct pollfd){.fd = resting ? -1 : 0, .events = POLLIN};
        for (size_t i = 0; i < d->count; i++)
            x[2 + i] = (struct pollfd){.fd = d->connections[i].fd, .events = POLLIN};
        size_t count = d->count;
        if (poll(x, 2 + count, resting && (wait == -1 || wait > PAUSE) ? PAUSE : wait) == -1 && errno != EINTR)
            return 0;
        resting = 0;
        if (x[0].revents)
            return 1;
        now = monotonic_ms();
        if (now - d->refreshed >= 1000) {
            d->refresh(d);
            d->refreshed = now;
        }
        for (size_t i = 0; i < count; i++)
            if (x[2 + i].revents)
                serve(d, d->connections + i);
        if (x[1].revents & (POLLERR | POLLNVAL))
            return (errno = ENOTSOCK, 0);
        if (x[1].revents)
            resting = !take(d, now);
    }
}
