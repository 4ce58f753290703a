/* fakespawn SOCKET RULES LOG: answers pneu-send's jobs by script, in pneu-spawn's place.
 *
 * RULES, read anew for each job, is a line a rule: SUFFIX CLASS CODE MILLISECONDS TEXT. The first whose SUFFIX ends
 * the recipient ("." fits all) decides: class K, Z or D is the result; N none, only the job's end; H none at all, the
 * descriptor is kept until SIGUSR1; X this program ends; G first hostile frames, then K. The longest time of a
 * job's recipients counts, until SIGUSR2: then what waits is answered at once. LOG gets a line a job: "ID transport key count again first-recipient sender". */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/iopause.h>

#include "queue/job.h"

#define WAITING 1024

struct answer {
    uint64_t due;
    stralloc out;
};

static struct answer waiting[WAITING];
static unsigned int count;
static int kept[WAITING];
static unsigned int nkept;
static volatile sig_atomic_t let_go, hurry;

static void
on_signal(int sig)
{
    *(sig == SIGUSR1 ? &let_go : &hurry) = 1;
}

static uint64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct rule {
    char suffix[256], class, code[32], text[512];
    unsigned int ms;
};

static void
find_rule(char const *rules, struct bytes to, struct rule *r)
{
    FILE *f = fopen(rules, "re");
    char line[1024];

    *r = (struct rule){.class = 'K', .code = "2.0.0", .text = "delivered"};
    while (f && fgets(line, sizeof line, f)) {
        struct rule x = {.ms = 0};
        size_t n;
        if (sscanf(line, "%255s %c %31s %u %511[^\n]", x.suffix, &x.class, x.code, &x.ms, x.text) < 4)
            continue;
        n = strlen(x.suffix);
        if (!strcmp(x.suffix, ".") || (n <= to.len && !memcmp(to.s + to.len - n, x.suffix, n))) {
            *r = x;
            break;
        }
    }
    if (f)
        fclose(f);
}

static struct bytes
text(char const *s)
{
    return (struct bytes){s, strlen(s)};
}

static void
hostile(stralloc *to, uint64_t number)
{
    struct result r = {.job = number + 77777, .class = 'K', .code = text("2.0.0"), .to = text("0-3"), .done = 1};

    result_put(to, &r);
    r = (struct result){.job = number, .class = 'K', .to = text("5000000-9999999,77-78")};
    result_put(to, &r);
    r.to = text("1,x,,-");
    result_put(to, &r);
    netstring_put(to, "nonsense", 8);
    netstring_put(to, "6:to=0-9,", 9);
}

static void
log_job(FILE *log, struct job const *j, struct job_recipient const *one)
{
    fprintf(log, "%.*s %.*s %.*s %u %d %.*s %.*s\n", (int)j->id.len, j->id.s, (int)j->transport.len, j->transport.s,
            j->key.len ? (int)j->key.len : 1, j->key.len ? j->key.s : "-", j->count, j->again, (int)one->to.len,
            one->to.s, (int)one->from.len, one->from.s);
    fflush(log);
}

/* The message must be readable where the job says. */
static void
check(struct job const *j, int fd, FILE *log)
{
    char byte;

    if (fd == -1 || (j->length && pread(fd, &byte, 1, (off_t)(j->offset + j->length - 1)) != 1))
        fprintf(log, "unreadable\n");
}

static void
take_job(struct bytes frame, int fd, char const *rules, FILE *log)
{
    struct answer *a = waiting + count;
    struct job j;
    struct job_recipient one;
    struct bytes cursor;
    char index[16];
    int keep = 0;

    if (!job_scan(frame, &j)) {
        fprintf(log, "malformed\n");
        return;
    }
    cursor = j.recipients;
    check(&j, fd, log);
    a->due = now();
    a->out.len = 0;
    for (unsigned int i = 0; job_next(&j, &cursor, &one) == 1; i++) {
        struct rule r;
        struct result res = {.job = j.number};
        if (!i)
            log_job(log, &j, &one);
        find_rule(rules, one.to, &r);
        if (r.class == 'X')
            _exit(0);
        if (r.class == 'H')
            keep = 1;
        if (now() + r.ms > a->due)
            a->due = now() + r.ms;
        if (r.class == 'G') {
            hostile(&a->out, j.number);
            r.class = 'K';
        }
        if (r.class == 'N')
            continue;
        snprintf(index, sizeof index, "%u", one.index);
        res.class = r.class;
        res.code = text(r.code);
        res.to = text(index);
        res.remote = text("fake");
        res.text = text(r.text);
        result_put(&a->out, &res);
    }
    if (keep) {
        if (nkept < WAITING)
            kept[nkept++] = dup(fd);
        return;
    }
    result_put(&a->out, &(struct result){.job = j.number, .done = 1});
    count++;
}

static void
send_due(struct jobwire *w)
{
    int all = hurry;

    hurry = 0;
    for (unsigned int i = 0; i < count;) {
        if (!all && waiting[i].due > now()) {
            i++;
            continue;
        }
        stralloc_catb(&w->out, waiting[i].out.s, waiting[i].out.len);
        struct answer empty = waiting[i];
        waiting[i] = waiting[--count];
        waiting[count] = empty;
    }
}

static int
timeout(void)
{
    int ms = 200;

    for (unsigned int i = 0; i < count; i++) {
        int left = waiting[i].due > now() ? (int)(waiting[i].due - now()) : 0;
        if (left < ms)
            ms = left;
    }
    return ms;
}

static void
serve(int fd, char const *rules, FILE *log)
{
    struct jobwire w = JOBWIRE_ZERO;
    struct bytes frame;

    jobwire_init(&w, fd);
    count = 0;
    for (;;) {
        iopause_fd x = {.fd = fd, .events = IOPAUSE_READ};
        int got;
        if (let_go) {
            while (nkept)
                close(kept[--nkept]);
            let_go = 0;
        }
        send_due(&w);
        got = jobwire_flush(&w);
        if (!got)
            x.events |= IOPAUSE_WRITE;
        if (got == -1 || (count < WAITING && poll(&x, 1, timeout()) == -1 && errno != EINTR))
            break;
        if (!(x.revents & ~IOPAUSE_WRITE))
            continue;
        if (jobwire_fill(&w) == -1)
            break;
        while (count < WAITING && jobwire_take(&w, JOB_MAX, &frame) == 1) {
            int message = jobwire_takefd(&w);
            take_job(frame, message, rules, log);
            if (message != -1)
                close(message);
        }
    }
    jobwire_free(&w);
}

int
main(int argc, char **argv)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *log;

    if (argc != 4 || strlen(argv[1]) >= sizeof name.sun_path)
        return 100;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    strcpy(name.sun_path, argv[1]);
    unlink(argv[1]);
    log = fopen(argv[3], "ae");
    if (!log || bind(fd, (struct sockaddr *)&name, sizeof name) == -1 || listen(fd, 5) == -1)
        return 111;
    for (;;) {
        iopause_fd x = {.fd = fd, .events = IOPAUSE_READ};
        int one;
        if (let_go) {
            while (nkept)
                close(kept[--nkept]);
            let_go = 0;
        }
        if (poll(&x, 1, 200) <= 0)
            continue;
        one = accept(fd, 0, 0);
        if (one != -1)
            serve(one, argv[2], log);
    }
}
