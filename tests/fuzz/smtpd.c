/* Any bytes as an SMTP or LMTP client, in pieces of any length. The first bytes choose limits, the kind and the queue's
 * mood; in the rest a 0xf5 ends a piece. What must hold: the machine never stands still, begins and ends each message once,
 * gives the queue an envelope that is one and no CR, and answers in whole lines. */

#include <stdlib.h>
#include <string.h>

#include "queue/envelope.h"
#include "smtpd/session.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

struct fake {
    unsigned int mood;
    int open;
    size_t bytes, checked;
    int checking;
};

static int
fake_begin(void *to, struct bytes envelope, struct intake_answer *answer)
{
    struct fake *f = to;

    uint32_t recipients;
    if (f->open || !envelope_check(envelope, &recipients) || !recipients)
        abort();
    if (f->mood == 1)
        return 0;
    *answer = (struct intake_answer){.class = f->mood == 2 ? 'Z' : 'K', .text = "2.0.0 go on"};
    f->open = f->mood != 2;
    return 1;
}

static int
fake_data(void *to, char const *s, size_t len)
{
    struct fake *f = to;

    if (!f->open || memchr(s, '\r', len))
        abort();
    f->bytes += len;
    if (f->mood == 3 && f->bytes > 300) {
        f->open = 0;
        return 0;
    }
    return 1;
}

static int
fake_end(void *to, struct intake_answer *answer)
{
    struct fake *f = to;

    if (!f->open)
        abort();
    f->open = 0;
    *answer = (struct intake_answer){.class = f->mood == 4 ? 'D' : 'K', .text = "2.0.0 \001id"};
    return f->mood != 5;
}

static void
fake_drop(void *to)
{
    struct fake *f = to;

    if (!f->open)
        abort();
    f->open = 0;
}

static uint64_t
fake_now(void *to)
{
    return 1795296600;
}

/* The last thing the client said chooses the answer. */
static int
fake_login(void *to, struct auth_question const *q, struct auth_answer *a, uint32_t seconds)
{
    struct bytes const last = q->count ? q->said[q->count - 1] : (struct bytes){0};

    if (q->count == 2 || q->count > AUTH_SAID_MAX || seconds > SESSION_DELAY_MAX)
        abort();
    *a = (struct auth_answer){.class = last.len ? "KDZMC"[(unsigned char)last.s[0] % 5] : 'C',
                              .data = {last.s, last.len > 1 ? last.len - 1 : 0},
                              .login = last,
                              .reason = {"password", 8}};
    return !last.len || last.s[0] != '0';
}

static void
fake_log(struct log *l)
{
    if (l->len > LOG_MAX)
        abort();
}

/* The operator's programs answer as the question's length has it; where they are set at all. */
static int
fake_answer(size_t n, struct hook_answer *a)
{
    static char const field[] = "X-Check: one\n two\n";

    a->verdict = (enum hook_verdict)(n & 7 ? HOOK_GO : n >> 3 & 3);
    a->text.len = a->headers.len = 0;
    if (!stralloc_copys(&a->text, n & 32   ? "421 4.7.0 bye"
                                  : n & 64 ? "5.1.1 \001\r\n250 x"
                                           : "") ||
        (n & 3 && !stralloc_copys(&a->headers, field)))
        abort();
    return n % 61 != 0;
}

static int
fake_ask(void *to, struct bytes question, struct hook_answer *a)
{
    return fake_answer(question.len, a);
}

static int
fake_check(void *to, struct bytes question)
{
    struct fake *f = to;

    if (f->checking || f->open)
        abort();
    f->checking = question.len % 17 != 0;
    return f->checking;
}

static int
fake_check_data(void *to, char const *s, size_t len)
{
    struct fake *f = to;

    if (!f->checking || !len)
        abort();
    f->checked += len;
    f->checking = f->checked % 97 != 0;
    return f->checking;
}

static int
fake_check_end(void *to, struct hook_answer *a)
{
    struct fake *f = to;

    if (!f->checking || !f->open)
        abort();
    f->checking = 0;
    return fake_answer(f->checked, a);
}

static void
fake_check_drop(void *to)
{
    struct fake *f = to;

    if (!f->checking)
        abort();
    f->checking = 0;
}

/* Replies are whole lines: three digits, then a blank or a '-', no other control characters than CR LF. */
static void
check_replies(stralloc const *out)
{
    size_t column = 0;

    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->s[i];
        if (column < 3 ? c < '0' || c > '9' : column == 3 && c != ' ' && c != '-')
            abort();
        column++;
        if (c == '\r') {
            if (++i == out->len || out->s[i] != '\n')
                abort();
            column = 0;
        } else if (c < 32 || c > 126)
            abort();
    }
    if (column)
        abort();
}

static void
list(stralloc *to, char const *s, size_t len)
{
    if (!stralloc_copyb(to, s, len))
        abort();
}

#define LIST(to, s) list(to, s, sizeof s)

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static struct policy policy;
    static struct peer peer = {.ip = "192.0.2.1"};
    struct session s;
    char buf[SESSION_AUTH_MAX + 8192];
    size_t len = 0;

    if (size < 3)
        return 0;
    struct fake fake = {.mood = data[0] & 7};
    struct session_queue queue = {&fake,    fake_begin, fake_data, fake_end,  fake_drop,
                                  fake_now, fake_log,   NULL,      fake_login};
    struct session_checks const checks = {
        .to = &fake,
        .instance = "fuzz",
        .ask = fake_ask,
        .begin = fake_check,
        .data = fake_check_data,
        .end = fake_check_end,
        .drop = fake_check_drop,
    };
    if (!policy.me.len) {
        LIST(&policy.me, "mx.pneu.test");
        LIST(&policy.greeting, "mx.pneu.test");
        LIST(&policy.relay.rcpthosts, "backup.test\0.below.test");
        LIST(&policy.guard.badmailfrom, "@bad.test");
        LIST(&policy.routes.envnoathost, "backup.test");
        policy.routes.envnoathost.len--;
    }
    policy.relayclient = data[0] & 8 ? ".relay" : NULL;
    policy.databytes = data[0] & 16 ? 100 : 0;
    policy.maxline = data[0] & 32 ? 20 : 0;
    policy.maxerrors = data[0] & 64 ? 5 : 0;
    policy.maxrcpt = data[1] & 7;
    policy.maxhops = data[1] >> 3 & 3;
    policy.maxmessages = data[1] >> 5;
    policy.kind = data[2] & 1 ? KIND_LMTP : data[2] & 2 ? KIND_SUBMISSION : KIND_SMTP;
    policy.sessionbytes = data[2] & 4 ? 200 : 0;
    policy.guard.checks = data[2] & 16 ? (1u << HOOK_PHASES) - 1 : 0;
    policy.guard.helostrict = data[2] >> 5 & 1;
    queue.checks = data[2] & 16 ? &checks : NULL;
    policy.xclientfrom.len = 0;
    if (data[2] & 64)
        LIST(&policy.xclientfrom, "192.0.2.0/24");
    policy.auth = data[2] >> 7;
    policy.authmech = 15;
    policy.authneedtls = data[2] >> 5 & 1 ? 2 : 0;
    policy.authrequired = data[2] >> 4 & data[2] >> 7 & 1;
    policy.authfailures = data[2] >> 6 & 1 ? 2 : 0;
    policy.authdelay = 2;
    peer.tls.protocol = data[2] & 8 ? "TLSv1.2" : NULL;
    session_start(&s, &policy, &peer, &queue);
    for (unsigned int i = 0; i < COMPLETE_count; i++) { /* the settings that complete a submitted header */
        list(s.tidy.complete.value + i, "pneu.test", 9);
        s.tidy.complete.known[i] = 1;
    }
    if (data[2] & 64)
        list(&s.login, "joe", 3);
    for (size_t i = 3; i < size; i++) {
        if (data[i] != 0xf5)
            buf[len++] = (char)data[i];
        if (data[i] != 0xf5 && len < sizeof buf && i + 1 < size)
            continue;
        size_t used = session_feed(&s, buf, len);
        if (used > len || len - used >= SESSION_AUTH_MAX ||
            ((s.state == SESSION_DATA || s.state == SESSION_CHUNK) && used != len))
            abort();
        len -= used;
        memmove(buf, buf + used, len);
    }
    check_replies(&s.out);
    session_log_end(&s);
    session_free(&s);
    if (fake.open || fake.checking)
        abort();
    return 0;
}
