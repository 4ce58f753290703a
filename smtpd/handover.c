#include "smtpd/handover.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include <skalibs/tai.h>

/* Every step has its own deadline: a long message may take long, a silent queue may not. */
static void
arm(struct handover *h)
{
    tain_now_g();
    tain_addsec_g(&h->intake.deadline, (int)h->timeout);
}

static void
log_trouble(char const *what)
{
    struct log l;
    int e = errno;

    log_start(&l, "queue");
    log_str(&l, "failed", what);
    log_errno(&l, e);
    log_end(&l);
    errno = e;
}

static int
ask(struct handover *h, struct bytes envelope, struct intake_answer *answer)
{
    arm(h);
    if (h->intake.fd == -1) {
        if (!intake_open(&h->intake))
            return 0;
    }
    return intake_begin(&h->intake, envelope) && intake_answer(&h->intake, answer);
}

/* A session that waited for its next message may have been closed meanwhile: then a new one is tried, once.
 * Nothing of the message has been said yet. */
static int
handover_begin(void *to, struct bytes envelope, struct intake_answer *answer)
{
    struct handover *h = to;
    int kept;

    if (h->intake.fd != -1 && intake_stale(&h->intake))
        intake_close(&h->intake);
    kept = h->intake.fd != -1;
    if (!ask(h, envelope, answer)) {
        intake_close(&h->intake);
        if (!kept || errno == ETIMEDOUT || !ask(h, envelope, answer)) {
            log_trouble("begin");
            intake_close(&h->intake);
            return 0;
        }
    }
    if (answer->class != 'K')
        intake_close(&h->intake);
    return 1;
}

static int
handover_data(void *to, char const *s, size_t len)
{
    struct handover *h = to;

    arm(h);
    if (intake_data(&h->intake, s, len))
        return 1;
    log_trouble("data");
    return 0;
}

static int
handover_end(void *to, struct intake_answer *answer)
{
    struct handover *h = to;

    arm(h);
    if (!intake_end(&h->intake, (struct bytes){"", 0}, answer)) {
        log_trouble("end");
        return 0;
    }
    return 1;
}

/* The queue keeps nothing whose end it has not seen. */
static void
handover_drop(void *to)
{
    struct handover *h = to;

    intake_close(&h->intake);
}

static uint64_t
handover_now(void *to)
{
    return (uint64_t)time(NULL);
}

/* A refusal comes at a time that does not tell how long it took to find it. */
static void
hold_back(tain const *asked, uint32_t seconds)
{
    tain until, left;

    tain_addsec(&until, asked, (int)seconds);
    for (;;) {
        tain_now_g();
        if (!tain_less(&STAMP, &until))
            return;
        tain_sub(&left, &until, &STAMP);
        (void)poll(NULL, 0, tain_to_millisecs(&left) + 1);
    }
}

static int
handover_login(void *to, struct auth_question const *q, struct auth_answer *a, uint32_t seconds)
{
    struct handover *h = to;
    tain asked, deadline;

    tain_now_g();
    asked = STAMP;
    tain_addsec(&deadline, &asked, (int)h->patience);
    if (!auth_ask(RUN_AUTH, q, a, &h->answer, &deadline)) {
        log_trouble("login");
        return 0;
    }
    if (a->class == 'D' || a->class == 'M')
        hold_back(&asked, seconds);
    return 1;
}

void
handover_init(struct handover *h, uint32_t timeout, uint32_t patience, struct session_queue *queue)
{
    h->timeout = timeout;
    h->patience = patience;
    *queue = (struct session_queue){
        .to = h,
        .begin = handover_begin,
        .data = handover_data,
        .end = handover_end,
        .drop = handover_drop,
        .now = handover_now,
        .log = log_end,
        .login = handover_login,
    };
}
