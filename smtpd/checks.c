#include "smtpd/checks.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define GRACE 10 /* seconds beyond timeoutcheck, so that pneu-hookd's own end comes first */

static int
told(char const *what, int done)
{
    struct log l;

    if (done)
        return 1;
    log_start(&l, "check");
    log_str(&l, "failed", what);
    log_errno(&l, errno);
    log_end(&l);
    return 0;
}

static int
checks_ask(void *to, struct bytes question, struct hook_answer *answer)
{
    return told("ask", hook_ask(to, question, answer));
}

static int
checks_begin(void *to, struct bytes question)
{
    return told("begin", hook_begin(to, question));
}

static int
checks_data(void *to, char const *s, size_t len)
{
    return told("data", hook_data(to, s, len));
}

static int
checks_end(void *to, struct hook_answer *answer)
{
    return told("end", hook_end(to, answer));
}

static void
checks_drop(void *to)
{
    hook_close(to);
}

void
checks_init(struct checks *c, uint32_t timeoutcheck, struct session_checks *checks)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    hook_init(&c->hook, timeoutcheck + GRACE);
    snprintf(c->instance, sizeof c->instance, "%llx.%lx.%lx", (unsigned long long)now.tv_sec,
             (unsigned long)now.tv_nsec, (unsigned long)getpid());
    *checks = (struct session_checks){
        .to = &c->hook,
        .instance = c->instance,
        .ask = checks_ask,
        .begin = checks_begin,
        .data = checks_data,
        .end = checks_end,
        .drop = checks_drop,
    };
}

void
checks_close(struct checks *c)
{
    hook_close(&c->hook);
    stralloc_free(&c->hook.out);
}
