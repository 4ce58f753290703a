#include "queue/callers.h"

#include <sys/socket.h>

#include "control/users.h"
#include "lib/log.h"
#include "queue/exits.h"
#include "queue/receive.h"

int
callers_ids(struct callers *c)
{
    uint32_t gid;

    return users_id("pneud", &c->pneud, &gid) && users_id("pneuf", &c->pneuf, &gid) &&
           users_id("pneuq", &c->pneuq, &gid);
}

static int
is_own(struct callers const *c, uint64_t uid)
{
    return uid == c->pneud || uid == c->pneuf || uid == c->pneuq;
}

int
callers_admit(struct callers const *c, struct serve const *s, uint64_t uid)
{
    uint32_t all, same, strangers = 0;

    serve_count(s, uid, &all, &same);
    if (all >= c->sessions)
        return 0;
    if (is_own(c, uid))
        return 1;
    for (size_t i = 0; i < s->used; i++)
        strangers += s->children[i].pid && !s->idle[i] && !is_own(c, s->children[i].key);
    return same < c->peruid && strangers < c->sessions - c->sessions / 4;
}

int
callers_who(void *data, int fd, uint64_t *uid)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    (void)data;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
        return 0;
    *uid = peer.uid;
    return 1;
}

void
callers_refuse(void *data, int fd, uint64_t uid, int error)
{
    stralloc out = STRALLOC_ZERO;
    struct intake_answer a;
    struct log l;

    (void)data;
    if (error)
        receive_answer_errno(&a, error);
    else
        receive_answer(&a, 'Z', QUEUE_REFUSED_NOW, "4.3.2 too many sessions");
    if (receive_answer_put(&out, &a))
        (void)!send(fd, out.s, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    stralloc_free(&out);
    log_start(&l, "refused");
    log_uint(&l, "uid", uid);
    log_str(&l, "reason", error ? "fork" : "sessions");
    log_end(&l);
}

void
callers_died(struct serve_child const *c, int sig)
{
    struct log l;

    log_start(&l, "died");
    log_uint(&l, "uid", c->key);
    log_uint(&l, "pid", (uint64_t)c->pid);
    log_uint(&l, "signal", (uint64_t)sig);
    log_end(&l);
}
