/* Who is delivered when, in a world with a clock of its own: messages, destinations that take their time or do not answer,
 * settings that change. Nobody waits for anybody who has nothing to do with him. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/envelope.h"
#include "send/attempt.h"
#include "send/dest.h"
#include "send/dispatch.h"
#include "send/flush.h"
#include "send/message.h"
#include "send/park.h"
#include "send/scan.h"
#include "send/settings.h"
#include "tests/tap.h"

#define MOST 20000
#define START 1000000u
#define WALL UINT64_C(1795000000)

static struct send s;
static int other[CHANNELS]; /* pneu-spawn's ends */
static uint64_t now;

/* A message as it is loaded; and what became of it. */
static struct mail {
    char const *from;
    char domain[64]; /* "#.test": a domain each below that; "@user@host" a local user */
    unsigned int recipients;
    int waits, done;
    uint64_t started; /* of its first job; 0: none */
    unsigned int jobs;
} mails[MOST];
static unsigned int nmails, owner[MOST]; /* of an entry */
static uint64_t seen[SEND_JOBS], due[SEND_JOBS];
static int still; /* the disk writes no marks */

/* What the hosts are like. */
static struct host {
    char const *suffix;
    uint64_t ms;
    char class;
    char const *code, *site;
} hosts[8];

static struct host const *
host_of(struct dest const *d)
{
    static struct host const plain = {"", 100, 'K', "2.0.0", ""};

    for (unsigned int i = 0; i < 8 && hosts[i].suffix; i++) {
        size_t n = strlen(hosts[i].suffix);
        if (n <= d->len && !memcmp(d->name + d->len - n, hosts[i].suffix, n))
            return hosts + i;
    }
    return &plain;
}

static void
set(char const *name, char const *value)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "control/%s", name);
    f = fopen(path, "w");
    if (!f)
        exit(111);
    fprintf(f, "%s\n", value);
    fclose(f);
}

static void
at(uint64_t ms)
{
    now = ms;
    clock_set(&s.clock, START + ms, WALL + ms / 1000);
}

static void
begin(void)
{
    if (system("rm -rf control && mkdir -p control/remote queue/new && echo me.test >control/me") != 0)
        exit(111);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        int pair[2];
        close(other[i]);
        jobwire_free(&s.channels[i].wire);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == -1)
            exit(111);
        other[i] = pair[0];
        due[i] = (uint64_t)pair[1];
    }
    memset(&s, 0, sizeof s);
    memset(hosts, 0, sizeof hosts);
    memset(seen, 0, sizeof seen);
    s.table = (struct table)TABLE_ZERO;
    s.sequence = SEND_JOBS;
    park_init(&s.senders, 0, 0);
    park_init(&s.released, 0, 0);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        dispatch_init(s.channels + i, i ? "remote" : "local", "none");
        jobwire_init(&s.channels[i].wire, (int)due[i]);
        s.channels[i].up = 1;
    }
    memset(due, 0, sizeof due);
    nmails = 0;
    at(1);
    settings_read(&s);
}

/* The message of an entry, as message_load makes it, and its attempt. */
static void
load(uint32_t entry)
{
    struct mail const *x = mails + owner[entry];
    struct message *m = calloc(1, sizeof *m);
    stralloc e = STRALLOC_ZERO;

    m->entry = entry;
    m->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    table_id(&s.table, entry, m->id);
    m->next = s.messages;
    if (m->next)
        m->next->prev = m;
    s.messages = m;
    s.loaded++;
    m->waits = (uint8_t)x->waits;
    m->now = (s.table.entries[entry].flags & ENTRY_NOW) != 0;
    envelope_put(&e, "from", x->from, strlen(x->from));
    for (unsigned int i = 0; i < x->recipients; i++) {
        char to[100];
        char const *local = *x->domain == '@' ? x->domain + 1 : 0;
        if (local)
            snprintf(to, sizeof to, "%s", local);
        else if (*x->domain == '#') /* a domain each */
            snprintf(to, sizeof to, "u@d%u%s", i, x->domain + 1);
        else
            snprintf(to, sizeof to, "u%u@%s", i, x->domain);
        envelope_put(&e, "to", to, strlen(to));
    }
    m->file.header.recipients = m->left = x->recipients;
    m->file.header.envelope = (uint32_t)e.len;
    for (unsigned int i = 0; i < x->recipients; i++)
        stralloc_append(&e, STATUS_TODO);
    m->file.data = e;
    m->file.envelope = (struct bytes){e.s, m->file.header.envelope};
    m->file.status = e.s + m->file.header.envelope;
    m->from = (struct bytes){x->from, strlen(x->from)};
    m->arrival = WALL + now / 1000;
    attempt_begin(&s, m);
}

/* A message to so many recipients; "@user" is a local one. Returns its number. */
static unsigned int
mail(char const *domain, unsigned int recipients, int waits)
{
    struct mail *x = mails + nmails;
    char id[ID_SIZE];

    *x = (struct mail){.from = "a@sender.test", .recipients = recipients, .waits = waits};
    snprintf(x->domain, sizeof x->domain, "%s", domain);
    snprintf(id, sizeof id, "%028x", nmails + 1);
    uint32_t entry = table_add(&s.table, id);
    if (entry >= MOST || nmails == MOST)
        exit(111);
    s.table.entries[entry].flags = waits ? ENTRY_WAITS : 0;
    owner[entry] = nmails;
    load(entry);
    return nmails++;
}

static void
discard(int fd)
{
    char waste[65536];

    while (recv(fd, waste, sizeof waste, 0) > 0)
        ;
}

static void
note_starts(void)
{
    for (unsigned int i = 0; i < SEND_JOBS; i++) {
        struct running const *j = s.jobs + i;
        if (!j->message || seen[i] == j->number)
            continue;
        seen[i] = j->number;
        due[i] = now + host_of(j->dest)->ms;
        if (!mails[owner[j->message->entry]].jobs++)
            mails[owner[j->message->entry]].started = now;
    }
}

static void
finish_jobs(void)
{
    for (unsigned int i = 0; i < SEND_JOBS; i++) {
        struct running *j = s.jobs + i;
        struct host const *h;
        struct result r = {.to = {"0-9999999", 9}, .done = 1};
        stralloc out = STRALLOC_ZERO;
        struct bytes in, frame;
        if (!j->message || due[i] > now)
            continue;
        h = host_of(j->dest);
        r.job = j->number;
        r.class = h->class;
        r.code = (struct bytes){h->code, strlen(h->code)};
        r.site = (struct bytes){h->site ? h->site : "", h->site ? strlen(h->site) : 0};
        result_put(&out, &r);
        in = (struct bytes){out.s, out.len};
        netstring_take(&in, RESULT_MAX, &frame);
        dispatch_frame(&s, j->channel, frame);
        stralloc_free(&out);
    }
}

static void
write_marks(void)
{
    for (struct message *m = s.messages; m && !still; m = m->next)
        m->unmarked = 0;
    if (!still)
        s.unmarked = s.unswept = 0;
}

/* The world goes on until that time. */
static void
until(uint64_t end)
{
    uint32_t entry;

    for (;;) {
        uint64_t next = end;
        int again, wait;
        finish_jobs();
        write_marks();
        do {
            while (s.loaded < 400 && (entry = park_take(&s)) != TABLE_NONE)
                load(entry);
            again = dispatch_run(&s);
            note_starts();
            for (unsigned int i = 0; i < CHANNELS; i++)
                discard(other[i]);
        } while (again || s.giving);
        if (now >= end)
            return;
        for (unsigned int i = 0; i < SEND_JOBS; i++)
            if (s.jobs[i].message && due[i] < next)
                next = due[i];
        wait = dispatch_wait(&s);
        if (wait >= 0 && now + (uint64_t)wait < next)
            next = now + (uint64_t)wait;
        at(next > now ? next : now + 1);
        if (s.channels[0].held || s.channels[1].held || !park_empty(&s.senders))
            settings_fresh(&s);
    }
}

/* ---- lists and letters ---- */

static void
list_and_letter(void)
{
    unsigned int letter;

    begin();
    hosts[0] = (struct host){".many.test", 1000, 'K', "2.0.0", ""};
    mail("#.many.test", 3000, 0);
    until(2000);
    letter = mail("letter.test", 1, 0);
    until(10000);
    ok(mails[letter].started && mails[letter].started <= 3000,
       "a letter behind 3000 slow recipients of a list starts in a second (%d ms)", (int)mails[letter].started - 2000);
    ok(mails[0].jobs > 100, "the list goes on (%u jobs)", mails[0].jobs);
    letter = mail("d7.many.test", 1, 1);
    until(15000);
    ok(mails[letter].started && mails[letter].started <= 12000, "old mail passes the list, too (%d ms)",
       (int)mails[letter].started - 10000);
}

static void
list_at_one_host(void)
{
    unsigned int letter;

    begin();
    set("concurrency", "1");
    set("rcptperjob", "1");
    at(2000);
    settings_read(&s);
    mail("one.test", 1000, 0);
    until(5000);
    letter = mail("one.test", 1, 0);
    until(10000);
    ok(mails[letter].started && mails[letter].started <= 5300,
       "a letter to a host that takes one at a time passes a list there (%d ms)", (int)mails[letter].started - 5000);
}

static void
disk_stands_still(void)
{
    unsigned int started[3] = {0}, local;

    begin();
    still = 1;
    set("concurrencyremote", "40");
    set("concurrency", "40");
    at(2000);
    settings_read(&s);
    for (unsigned int i = 0; i < 200; i++)
        mail("far.test", 1, 0);
    for (unsigned int step = 0; step < 3; step++) {
        until(now + 30000);
        for (unsigned int i = 0; i < 200; i++)
            started[step] += mails[i].started != 0;
        s.unmarked = s.unswept = 0;
    }
    ok(started[0] == 40 && started[1] == 80 && started[2] == 120,
       "no more go to other hosts than there are places, until their marks are on disk (%u, %u, %u)", started[0],
       started[1], started[2]);
    ok(s.pressed, "which is asked for");
    until(now + 30000);
    local = mail("@joe@me.test", 1, 0);
    until(now + 10);
    ok(mails[local].started != 0, "that holds up nobody here");
    still = 0;
}

/* ---- slow hosts ---- */

static void
slow_host(void)
{
    unsigned int worst = 0, started = 1;

    begin();
    hosts[0] = (struct host){"slow.test", 30000, 'K', "2.0.0", ""};
    for (unsigned int i = 0; i < 300; i++)
        mail(i % 2 ? "a.slow.test" : "b.slow.test", 1, 0);
    until(120000); /* long enough that both have grown to their limit */
    ok(s.channels[CHANNEL_REMOTE].running == 15, "slow hosts have three quarters of the places (%u)",
       (unsigned int)s.channels[CHANNEL_REMOTE].running);
    for (unsigned int i = 0; i < 200; i++) {
        char name[20];
        unsigned int n;
        snprintf(name, sizeof name, "q%u.test", i);
        n = mail(name, 1, 0);
        until(now + 50);
        until(now + 10);
        started &= mails[n].started != 0;
        if (mails[n].started && mails[n].started - (now - 60) > worst)
            worst = (unsigned int)(mails[n].started - (now - 60));
    }
    ok(started && worst <= 10, "letters to others start at once (%u ms at worst)", worst);
}

static void
old_and_new(void)
{
    unsigned int first, jobs = 0, worst = 0;

    begin();
    hosts[0] = (struct host){".old.test", 20000, 'Z', "4.2.0", ""};
    for (unsigned int i = 0; i < 3000; i++) {
        char name[24];
        snprintf(name, sizeof name, "d%u.old.test", i);
        mail(name, 1, 1);
    }
    until(30000);
    first = nmails;
    for (unsigned int i = 0; i < 100; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%u.test", i);
        mail(name, 1, 0);
        until(now + 100);
    }
    for (unsigned int i = first; i < nmails; i++) {
        unsigned int waited = (unsigned int)(mails[i].started - (30000 + (uint64_t)(i - first) * 100));
        worst = mails[i].started && waited > worst ? waited : worst;
        jobs += mails[i].jobs;
    }
    ok(jobs == 100 && worst <= 100, "new mail passes 3000 old messages to slow hosts (%u jobs of 100, %u ms at worst)",
       jobs, worst);
    begin();
    for (unsigned int i = 0; i < 100; i++)
        mail("host.test", 1, 1);
    set("concurrency", "1");
    at(3000);
    settings_read(&s);
    for (unsigned int i = 0; i < 100; i++) {
        mail("host.test", 1, 0);
        until(now + 100); /* as many new ones as the host takes */
    }
    jobs = 0;
    for (unsigned int i = 0; i < 100; i++)
        jobs += mails[i].jobs;
    ok(jobs >= 45, "old mail has its half of a host that new mail would fill (%u of 100 jobs)", jobs);
}

/* ---- limits ---- */

static unsigned int
running_to(char const *part)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < SEND_JOBS; i++)
        n += s.jobs[i].message && strstr(s.jobs[i].dest->name, part) != 0;
    return n;
}

static void
rates(void)
{
    unsigned int starts = 0;

    begin();
    if (mkdir("control/remote/calm.test", 0755) == -1)
        exit(111);
    set("remote/calm.test/rate", "10/1m");
    at(2000);
    settings_read(&s);
    for (unsigned int i = 0; i < 200; i++)
        mail(i % 2 ? "calm.test" : "quick.test", 1, 0);
    until(62000);
    for (unsigned int i = 1; i < 200; i += 2)
        starts += mails[i].jobs;
    ok(starts >= 9 && starts <= 11, "ten a minute (%u)", starts);
    starts = 0;
    for (unsigned int i = 0; i < 200; i += 2)
        starts += mails[i].jobs;
    ok(starts == 100, "which holds up no other");
    set("remote/calm.test/rate", "600/1m");
    mail("calm.test", 1, 0);
    until(90000);
    starts = 0;
    for (unsigned int i = 1; i < 200; i += 2)
        starts += mails[i].jobs;
    ok(starts == 100, "a new rate counts at once (%u)", starts);
}

static void
sites(void)
{
    unsigned int most = 0;

    begin();
    hosts[0] = (struct host){".customer.test", 1000, 'K', "2.0.0", "MX.provider.test"};
    set("concurrencyremote", "100");
    set("concurrencysite", "3");
    at(2000);
    settings_read(&s);
    for (unsigned int i = 0; i < 50; i++) {
        char name[30];
        snprintf(name, sizeof name, "d%u.customer.test", i);
        mail(name, 1, 0);
    }
    until(4000); /* each domain's first job tells where it leads */
    for (unsigned int i = 0; i < 500; i++) {
        char name[30];
        snprintf(name, sizeof name, "d%u.customer.test", i % 50);
        mail(name, 1, 0);
    }
    for (unsigned int i = 0; i < 20; i++) {
        until(now + 500);
        most = running_to("customer") > most ? running_to("customer") : most;
    }
    ok(most == 3, "three at a time for fifty domains of one provider (%u)", most);
    set("concurrencysite", "30");
    at(now + 1000);
    settings_read(&s);
    until(now + 5000);
    ok(running_to("customer") == 30, "more when the setting says so (%u)", running_to("customer"));
    until(now + 60000);
    most = 0;
    for (unsigned int i = 0; i < nmails; i++)
        most += mails[i].jobs;
    ok(most == 550, "none is forgotten (%u)", most);
}

static void
users(void)
{
    unsigned int letter;

    begin();
    hosts[0] = (struct host){"slowjoe", 60000, 'K', "2.0.0", ""};
    for (unsigned int i = 0; i < 100; i++)
        mail(i % 2 ? "@slowjoe@me.test" : "@slowjoe-list@me.test", 1, 0);
    until(2000);
    ok(s.channels[CHANNEL_LOCAL].running == 5, "a user with slow programs has five of ten places (%u)",
       (unsigned int)s.channels[CHANNEL_LOCAL].running);
    letter = mail("@ann@me.test", 1, 0);
    until(2100);
    ok(mails[letter].started == 2000, "another's letter is delivered at once");
}

/* ---- holding ---- */

static void
holding(void)
{
    unsigned int jobs = 0, letter;

    begin();
    if (mkdir("control/remote/held.test", 0755) == -1)
        exit(111);
    set("remote/held.test/hold", "1");
    at(2000);
    settings_read(&s);
    for (unsigned int i = 0; i < 500; i++)
        mail("held.test", 1, 0);
    letter = mail("free.test", 1, 0);
    until(20000);
    for (unsigned int i = 0; i < 500; i++)
        jobs += mails[i].jobs;
    ok(!jobs && s.loaded == 0, "mail for a held domain is not tried, nor kept in memory");
    ok(mails[letter].jobs == 1, "other mail goes");
    unlink("control/remote/held.test/hold");
    until(60000);
    for (unsigned int i = 0; i < 500; i++)
        jobs += mails[i].jobs;
    ok(jobs == 500, "all of it goes when it is held no more (%u)", jobs);

    set("holdremote", "1");
    at(now + 1000);
    settings_read(&s);
    letter = mail("free.test", 1, 0);
    mail("@ann@me.test", 1, 0);
    until(now + 5000);
    ok(!mails[letter].jobs && mails[letter + 1].jobs == 1, "holdremote: local mail goes, remote mail waits");
    set("holdremote", "0");
    set("holdlocal", "1");
    until(now + 3000);
    mail("@ann@me.test", 1, 0);
    until(now + 3000);
    ok(mails[letter].jobs == 1 && !mails[letter + 2].jobs, "and the other way round");
    unlink("control/holdlocal");
    until(now + 3000);
    ok(mails[letter + 2].jobs == 1, "nothing is held, everything goes");

    set("holdsenders", "a@sender.test");
    at(now + 1000);
    settings_read(&s);
    letter = mail("free.test", 1, 0);
    until(now + 3000);
    ok(!mails[letter].jobs, "mail of a held sender waits");
    set("holdsenders", "@other.test");
    until(now + 3000);
    ok(mails[letter].jobs == 1, "until he is held no more");
}

/* ---- dead hosts ---- */

static void
dead_host(void)
{
    unsigned int jobs = 0, letter;

    begin();
    hosts[0] = (struct host){"dead.test", 3000, 'Z', "4.4.1", ""};
    for (unsigned int i = 0; i < 300; i++)
        mail("dead.test", 1, 0);
    until(60000);
    for (unsigned int i = 0; i < 300; i++)
        jobs += mails[i].jobs;
    ok(jobs == 5, "a host that does not answer is tried a few times (%u)", jobs);
    ok(!s.loaded, "all others hear of it at once and wait by their own plan");
    letter = mail("dead.test", 1, 0);
    until(100000);
    ok(!mails[letter].jobs && !s.loaded, "new mail, too");
    hosts[0].class = 'K';
    hosts[0].code = "2.0.0";
    until(3000 + 301000);
    letter = mail("dead.test", 1, 1);
    until(now + 5000);
    ok(mails[letter].jobs == 1, "after deadtime one is let through");
    for (unsigned int i = 0; i < 10; i++)
        mail("dead.test", 1, 1);
    until(now + 30000);
    jobs = 0;
    for (unsigned int i = letter + 1; i < nmails; i++)
        jobs += mails[i].jobs;
    ok(jobs == 10, "and when it answers, all are");
    hosts[0].class = 'Z';
    hosts[0].code = "4.4.1";
    for (unsigned int i = 0; i < 30; i++)
        mail("dead.test", 1, 0);
    until(now + 30000);
    scan_flush(&s);
    hosts[0].class = 'K';
    letter = mail("dead.test", 1, 1);
    until(now + 5000);
    ok(mails[letter].jobs == 1, "a flush forgets that it was dead");
}

static void
forgetting(void)
{
    begin();
    for (unsigned int i = 0; i < 5000; i++) {
        char name[24];
        snprintf(name, sizeof name, "d%u.test", i);
        mail(name, 1, 0);
    }
    until(120000);
    ok(!s.loaded && s.ndests <= SEND_KEPT, "of many destinations some are remembered (%u)", (unsigned int)s.ndests);
    until(now + 700000);
    ok(!s.ndests && !s.wakes.count, "for ten minutes");
}

static void
flushes(void)
{
    char id[ID_SIZE];

    begin();
    for (unsigned int i = 0; i < 250000; i++) {
        snprintf(id, sizeof id, "%028x", i + 1);
        if (table_add(&s.table, id) == TABLE_NONE)
            exit(111);
    }
    flush_ask(&s, "a.test");
    (void)flush_run(&s);
    flush_ask(&s, "b.test");
    (void)flush_run(&s);
    flush_ask(&s, "c.test");
    ok(flush_run(&s) == 1 && s.flush.count == 2, "who asks for domain after domain keeps no flush from its end");
    (void)flush_run(&s);
    ok(flush_run(&s) == 0 && !s.flush.count, "and each is looked for everywhere");
    table_free(&s.table);
}

static void
rate_of_an_hour(void)
{
    unsigned int second;

    begin();
    if (mkdir("control/remote/hourly.test", 0700) == -1)
        exit(111);
    set("remote/hourly.test/rate", "1/1h");
    settings_read(&s);
    mail("hourly.test", 1, 0);
    for (unsigned int i = 0; i < 3000; i++) {
        char name[24];
        snprintf(name, sizeof name, "d%u.test", i);
        mail(name, 1, 0);
    }
    until(1500000);
    second = mail("hourly.test", 1, 0);
    until(now + 1000000);
    ok(mails[0].jobs == 1 && !mails[second].jobs, "one message an hour is that also when nothing waits between");
    until(now + 1500000);
    ok(mails[second].jobs == 1, "and the next comes after an hour");
}

int
main(void)
{
    char folder[] = "/tmp/pneu-send-fair.XXXXXX";
    char command[] = "rm -rf /tmp/pneu-send-fair.XXXXXX";

    (void)dup2(open("/dev/null", O_WRONLY), 2);
    if (!mkdtemp(folder) || chdir(folder) == -1)
        return 111;
    other[0] = other[1] = -1;
    s.channels[0].wire = s.channels[1].wire = (struct jobwire)JOBWIRE_ZERO;
    list_and_letter();
    list_at_one_host();
    disk_stands_still();
    slow_host();
    old_and_new();
    rates();
    sites();
    users();
    holding();
    dead_host();
    forgetting();
    rate_of_an_hour();
    flushes();
    memcpy(command + sizeof command - sizeof folder, folder, sizeof folder);
    if (chdir("/") == -1 || system(command) != 0)
        return 111;
    return tap_done();
}
