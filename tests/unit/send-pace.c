/* How much one destination is given: growth, back-off, death and return, rate; and the heap that wakes destinations. */

#include <stdlib.h>
#include <string.h>

#include "send/send.h"
#include "tests/tap.h"

static void
window(void)
{
    struct pace p;

    pace_init(&p, 20);
    pace_limits(&p, 20, 300000, 0, 0);
    ok(p.window == 5, "five at first");
    for (unsigned int i = 0; i < 15; i++)
        pace_end(&p, PACE_GOOD, 10, i);
    ok(p.window == 20, "one more each time");
    pace_end(&p, PACE_GOOD, 10, 20);
    ok(p.window == 20, "to the limit");
    pace_end(&p, PACE_TROUBLE, 10, 21);
    ok(p.window == 10, "half after a failure");
    for (unsigned int i = 0; i < 10; i++)
        pace_end(&p, PACE_GOOD, 10, 22);
    ok(p.window == 11, "then slowly: one more when all went well");
    pace_end(&p, PACE_AS_IS, 10, 23);
    ok(p.window == 11 && !p.failures, "an answer about a recipient changes nothing");
    pace_limits(&p, 4, 300000, 0, 0);
    ok(p.window == 4, "a lower limit counts at once");
    pace_limits(&p, 40, 300000, 0, 0);
    pace_end(&p, PACE_GOOD, 10, 24);
    ok(p.window <= 5, "a higher one as the host bears it");
    pace_init(&p, 2);
    ok(p.window == 2, "never more than the limit");
}

static void
death(void)
{
    struct pace p;
    uint64_t now = 1000;

    pace_init(&p, 20);
    pace_limits(&p, 20, 60000, 0, 0);
    pace_end(&p, PACE_TROUBLE, 10, now);
    pace_end(&p, PACE_TROUBLE, 10, now);
    ok(!pace_dead(&p, now), "two failures are no death");
    pace_end(&p, PACE_TROUBLE, 10, now);
    ok(pace_dead(&p, now) && pace_dead(&p, now + 59999), "three are, for deadtime");
    pace_end(&p, PACE_TROUBLE, 10, now + 5000);
    ok(!pace_dead(&p, now + 60000), "whose end a fourth that was under way does not move");
    ok(p.window == 1, "then one is let through");
    pace_end(&p, PACE_TROUBLE, 10, now += 61000);
    ok(pace_dead(&p, now + 119999) && !pace_dead(&p, now + 120000), "still dead: twice as long");
    for (unsigned int i = 0; i < 10; i++) {
        now += 120000u << i;
        (void)pace_dead(&p, now);
        pace_end(&p, PACE_TROUBLE, 10, now);
    }
    ok(p.dead - now == 16 * 60000, "but no longer than sixteen times that");
    pace_revive(&p, now);
    ok(pace_dead(&p, now + 1), "whoever asked before it died again does not revive it");
    pace_revive(&p, now + 1);
    ok(!pace_dead(&p, now + 1) && p.window == 1, "whoever asks now does");
    pace_end(&p, PACE_GOOD, 10, now + 2);
    ok(!p.failures && p.window == 2 && !p.deadlast, "an answer makes it well");
    pace_limits(&p, 20, 0, 0, 0);
    for (unsigned int i = 0; i < 10; i++)
        pace_end(&p, PACE_TROUBLE, 10, now);
    ok(!pace_dead(&p, now), "deadtime 0: it never dies");
}

static void
rate(void)
{
    struct pace p;
    uint64_t now = 0, starts[100];
    unsigned int worst = 0;

    pace_init(&p, 20);
    pace_limits(&p, 20, 0, 7, 10000);
    for (unsigned int i = 0; i < 100; i++) {
        now = pace_next(&p, now);
        starts[i] = now;
        pace_begin(&p, 1, now);
    }
    for (unsigned int i = 0; i < 100; i++) {
        unsigned int n = 0;
        for (unsigned int k = i; k < 100 && starts[k] < starts[i] + 10000; k++)
            n++;
        worst = n > worst ? n : worst;
    }
    ok(worst == 7, "7 in any 10 seconds (%u)", worst);
    ok(now >= 99 * 10000 / 7 && now < 99 * 10000 / 7 + 200, "and no fewer");
    pace_limits(&p, 20, 0, 0, 0);
    ok(pace_next(&p, now) == now, "no rate, no wait");
}

static void
slow(void)
{
    struct pace p;

    pace_init(&p, 20);
    pace_begin(&p, 1, 1000);
    pace_look(&p, 5999);
    ok(!p.slow, "not slow yet");
    pace_look(&p, 6000);
    ok(p.slow, "a host that has not answered for five seconds is slow");
    pace_end(&p, PACE_GOOD, 100, 7000);
    ok(!p.slow, "until it answers quickly");
    pace_note(&p, "too long", 8);
    ok(!strcmp(p.why, "too long"), "what it said is kept");
}

static void
paused(void)
{
    struct pace p;

    pace_init(&p, 20);
    pace_limits(&p, 20, 0, 0, 0);
    pace_pause(&p, 5000, 1000);
    pace_pause(&p, 1000, 1500);
    pace_end(&p, PACE_GOOD, 100, 2000);
    ok(pace_rests(&p) && pace_dead(&p, 5999), "a pause lasts, whatever comes meanwhile");
    ok(!pace_dead(&p, 6000) && !pace_rests(&p) && p.window == 1, "then one is let through");
    pace_pause(&p, 5000, 7000);
    pace_revive(&p, 6999);
    ok(pace_dead(&p, 7001), "who asked before does not end it");
    pace_revive(&p, 7001);
    ok(!pace_dead(&p, 7002), "who asks then does");
}

static void
wakes(void)
{
    enum { N = 1000 };
    static struct dest all[N];
    struct wakes w = {0};
    struct dest *d;
    uint64_t last = 0;
    unsigned int n = 0, order = 1;

    for (unsigned int i = 0; i < N; i++)
        wake_at(&w, all + i, (i * 7919u) % 10007u + 10);
    wake_at(&w, all + 5, 3);
    wake_at(&w, all + 6, 100000);
    ok(wake_first(&w) == 3 && all[6].wake < 100000, "an earlier time counts, a later one does not");
    for (unsigned int i = 100; i < 200; i++)
        wake_forget(&w, all + i);
    wake_forget(&w, all + 150);
    ok(!wake_due(&w, 2), "nobody before his time");
    while ((d = wake_due(&w, UINT64_MAX))) {
        order &= d->wake >= last;
        last = d->wake;
        n++;
    }
    ok(order && n == N - 100 && wake_first(&w) == UINT64_MAX, "all in their order");
    free(w.list);
}

int
main(void)
{
    window();
    death();
    rate();
    slow();
    paused();
    wakes();
    return tap_done();
}
