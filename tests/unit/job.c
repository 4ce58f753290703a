/* queue/job: frames of jobs and results, and the wire that carries them with
 * descriptors. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/job.h"
#include "tests/tap.h"

static stralloc text = STRALLOC_ZERO;

static struct bytes
frame(char const *words)
{
    text.len = 0;
    while (*words) {
        size_t n = strcspn(words, " ");
        netstring_put(&text, words, n);
        words += n + (words[n] == ' ');
    }
    return (struct bytes){text.s, text.len};
}

static void
scans(void)
{
    static struct {
        char const *words;
        int good;
        uint32_t count;
    } const cases[] = {
        {"job=1 transport=remote key=k id=x offset=128 length=5 from=a to=b "
         "index=0",
         1, 1},
        {"job=1 transport=remote id=x from=a to=b index=0 notify=NEVER to=c "
         "index=9 from=d",
         1, 2},
        {"job=1 transport=remote id=x new=thing from=a to=b index=0 new=thing", 1, 1},
        {"job=1 transport=remote id=x from=a", 0, 0},
        {"job=1 id=x from=a to=b index=0", 0, 0},
        {"job=1 transport=remote from=a to=b index=0", 0, 0},
        {"job=1 transport=remote id=x from=a to=b", 0, 0},
        {"job=1 transport=remote id=x from=a to=b index=1000000", 0, 0},
        {"job=1 transport=remote id=x from=a to=b index=-1", 0, 0},
        {"job=x transport=remote id=x from=a to=b index=0", 0, 0},
        {"job=1 offset=99999999999999999999 transport=remote id=x from=a to=b "
         "index=0",
         0, 0},
        {"job=1 offset=9223372036854775807 transport=remote id=x from=a to=b "
         "index=0",
         0, 0},
        {"", 0, 0},
    };
    static struct {
        char const *words;
        int good;
    } const results[] = {
        {"job=1 class=K code=2.0.0 to=0 remote= text=fine", 1},
        {"job=1 done=1", 1},
        {"job=1 class=Z code=4.0.0 to=0-5 text=x done=1", 1},
        {"class=K to=0", 0},
        {"job=1", 0},
        {"job=1 class=X to=0", 0},
        {"job=1 class=K", 0},
        {"job=1 class=KK to=0", 0},
        {"job= done=1", 0},
    };
    struct job j;
    struct result r;
    struct job_recipient one;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(job_scan(frame(cases[i].words), &j) == cases[i].good && (!cases[i].good || j.count == cases[i].count),
           "job: %s", cases[i].words);
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        ok(result_scan(frame(results[i].words), &r) == results[i].good, "result: %s", results[i].words);

    job_scan(frame(cases[1].words), &j);
    struct bytes cursor = j.recipients;
    ok(job_next(&j, &cursor, &one) == 1 && one.index == 0 && one.notify.len == 5 && *one.from.s == 'a',
       "first recipient");
    ok(job_next(&j, &cursor, &one) == 1 && one.index == 9 && !one.notify.len && *one.from.s == 'd',
       "second, its own sender");
    ok(job_next(&j, &cursor, &one) == 0, "no third");
}

static void
result_text(void)
{
    stralloc out = STRALLOC_ZERO;
    struct result r = {
        .job = 7, .class = 'D', .code = {"5.1.1", 5}, .to = {"0,2", 3}, .text = {"no\nsuch\0user\r", 13}, .done = 1};
    struct result got;
    struct bytes in, f;

    ok(result_put(&out, &r), "a result is put");
    in = (struct bytes){out.s, out.len};
    ok(netstring_take(&in, RESULT_MAX, &f) == 1 && result_scan(f, &got) && got.job == 7 && got.class == 'D' &&
           got.done && got.text.len == 13 && !memcmp(got.text.s, "no such user ", 13),
       "and read, with blanks for what breaks records");
    stralloc_free(&out);
}

static void
wire(void)
{
    struct jobwire a = JOBWIRE_ZERO, b = JOBWIRE_ZERO;
    int s[2], got = 0, same = 1, frames = 0;
    struct stat null, st;
    struct bytes f = {0, 0};
    static char big[300000];

    memset(big, 'x', sizeof big);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) == -1 || !jobwire_init(&a, s[0]) || !jobwire_init(&b, s[1])) {
        ok(0, "a pair");
        return;
    }
    int fd = open("/dev/null", O_RDONLY);
    fstat(fd, &null);
    for (int i = 0; i < 20; i++) /* with and without descriptors, small and
                                    larger than the socket's buffer */
        ok(jobwire_put(&a, (struct bytes){big, i % 4 == 3 ? sizeof big : (size_t)i}, i % 3 ? fd : -1),
           "frame %d is put", i);
    for (int turn = 0; turn < 10000 && frames < 20 && got >= 0; turn++) {
        if (jobwire_flush(&a) == -1)
            break;
        got = jobwire_fill(&b);
        while (jobwire_take(&b, JOB_MAX, &f) == 1) {
            if (frames % 3) {
                int r = jobwire_takefd(&b);
                same = same && r != -1 && fstat(r, &st) == 0 && st.st_rdev == null.st_rdev &&
                       fcntl(r, F_GETFD) == FD_CLOEXEC;
                close(r);
            }
            same = same && f.len == (frames % 4 == 3 ? sizeof big : (size_t)frames);
            frames++;
        }
    }
    ok(frames == 20 && same, "all frames arrive in order, each with its descriptor");
    ok(jobwire_takefd(&b) == -1 && errno == EPROTO, "no descriptor is left");
    for (int i = 0; i < 64; i++)
        same = same && jobwire_put(&a, (struct bytes){"", 0}, fd);
    ok(same && !jobwire_put(&a, (struct bytes){"", 0}, fd) && errno == ENOBUFS, "64 descriptors may wait");
    jobwire_free(&a);
    while ((got = jobwire_fill(&b)) >= 0)
        ;
    ok(errno == EPIPE, "the end of the other side is seen");
    jobwire_free(&b);
    close(fd);
}

/* Were a job whose descriptor was lost to go on, it would take that of the next: another's message. */
static void
lost_descriptor(void)
{
    static char frame[20000];
    struct jobwire a = JOBWIRE_ZERO, b = JOBWIRE_ZERO;
    struct rlimit before, none;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int s[2];

    if (getrlimit(RLIMIT_NOFILE, &before) == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, s) == -1 ||
        !jobwire_init(&a, s[0]) || !jobwire_init(&b, s[1])) {
        ok(0, "prepare");
        return;
    }
    jobwire_put(&a, (struct bytes){frame, sizeof frame}, fd);
    jobwire_put(&a, (struct bytes){frame, sizeof frame}, fd);
    ok(jobwire_flush(&a) == 1, "two frames with descriptors are sent");
    none = (struct rlimit){.rlim_cur = (rlim_t)(s[1] > fd ? s[1] : fd) + 1, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int got = jobwire_fill(&b), e = errno;
    setrlimit(RLIMIT_NOFILE, &before);
    ok(got == -1 && e == EMFILE, "a descriptor that finds no room ends the connection");
    jobwire_free(&a);
    jobwire_free(&b);
    close(fd);
}

int
main(void)
{
    scans();
    result_text();
    wire();
    lost_descriptor();
    return tap_done();
}
