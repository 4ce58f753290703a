/* queue/file: what is written is read back, and every damaged byte is noticed.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/crc.h"
#include "queue/envelope.h"
#include "queue/file.h"
#include "tests/tap.h"

/* The disk takes at most so many bytes at a time, then it is as `results` says: an errno, or 0 for no byte at all. */
static size_t piece = SIZE_MAX;
static int const *results;
static unsigned int pwrites;

ssize_t
pwrite(int fd, void const *s, size_t len, off_t at)
{
    if (results && *results != -1) {
        int e = *results++;
        return e ? (errno = e, -1) : 0;
    }
    pwrites++;
    return syscall(SYS_pwrite64, fd, s, len < piece ? len : piece, at);
}

/* A queue file of that message size in a memfd. */
static int
make(size_t message, struct file_header *h, stralloc *whole)
{
    stralloc envelope = STRALLOC_ZERO;
    int fd = memfd_create("queue", MFD_CLOEXEC);

    envelope_put(&envelope, "from", "a@b", 3);
    envelope_put(&envelope, "to", "c@d", 3);
    envelope_put(&envelope, "to", "e@f", 3);
    whole->len = 0;
    stralloc_readyplus(whole, FILE_HEADER + message + envelope.len + 2);
    whole->len = FILE_HEADER;
    for (size_t i = 0; i < message; i++)
        whole->s[whole->len++] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 26);
    h->message = message;
    h->envelope = (uint32_t)envelope.len;
    h->recipients = 2;
    h->message_crc = crc32c(0, whole->s + FILE_HEADER, message);
    h->envelope_crc = crc32c(0, envelope.s, envelope.len);
    file_header_fmt(whole->s, h);
    stralloc_catb(whole, envelope.s, envelope.len);
    stralloc_catb(whole, "TT", 2);
    stralloc_free(&envelope);
    if (fd == -1 || write(fd, whole->s, whole->len) != (ssize_t)whole->len)
        exit(111);
    return fd;
}

static void
round_trip(size_t message)
{
    struct file_header h, again;
    struct file f = FILE_ZERO;
    stralloc whole = STRALLOC_ZERO;
    char const *why = "";
    int fd = make(message, &h, &whole);

    ok(file_header_scan(whole.s, &again) && !memcmp(&h, &again, sizeof h), "%zu bytes: the header", message);
    ok(file_read(fd, &f, &why) == 1 && f.envelope.len == h.envelope && !memcmp(f.status, "TT", 2) &&
           !memcmp(f.envelope.s, "8:from=a@b,", 11),
       "%zu bytes: envelope and status %s", message, why);
    ok(file_prove(fd, &h) == 1, "%zu bytes: the message", message);
    file_free(&f);
    stralloc_free(&whole);
    close(fd);
}

/* Each byte changed in turn, and each shorter length. */
static void
damage(void)
{
    struct file_header h;
    struct file f = FILE_ZERO;
    stralloc whole = STRALLOC_ZERO;
    char const *why;
    int fd = make(300, &h, &whole);
    size_t status = (size_t)file_status(&h);
    int seen = 1, cut = 1, log = 1;

    for (size_t i = 0; i < status; i++) {
        char other = (char)(whole.s[i] ^ 0x11);
        if (pwrite(fd, &other, 1, (off_t)i) != 1)
            exit(111);
        if (file_read(fd, &f, &why) != 0)
            seen = ok(0, "byte %zu of %zu changed unseen", i, status);
        if (pwrite(fd, whole.s + i, 1, (off_t)i) != 1)
            exit(111);
    }
    ok(seen, "each changed byte of header, message and envelope is noticed");
    ok(file_read(fd, &f, &why) == 1, "and it is whole again");
    if (pwrite(fd, "junk at the end of it\n", 22, (off_t)whole.len) != 22)
        exit(111);
    log = file_read(fd, &f, &why) == 1;
    ok(log, "a log, whatever is in it, changes nothing");
    for (size_t len = whole.len; len-- && cut;)
        if (ftruncate(fd, (off_t)len) == -1 || file_read(fd, &f, &why) != 0)
            cut = ok(0, "cut to %zu unseen", len);
    ok(cut, "each shorter file is noticed");
    file_free(&f);
    stralloc_free(&whole);
    close(fd);
}

/* Headers and envelopes that do not fit each other: the checksums are right, and what is said of it is the reason. */
static void
misfits(void)
{
    static char const broken[] = "5:from=,4:to=x,5:from=,"; /* one recipient before it breaks */
    static char const lone[] = "5:from=,";
    static char const two[] = "5:from=,4:to=x,4:to=y,";
    static struct {
        uint64_t message; /* as the header has it */
        uint32_t envelope, recipients;
        char const *text;
        off_t size; /* of the file; 0: what is written */
        char const *why;
    } const cases[] = {
        {0, 0, 0, "", 0, "the envelope is malformed"},
        {0, 0, 0, "", FILE_HEADER, "the envelope is malformed"},
        {0, 0, 0, "", FILE_HEADER - 1, "it is shorter than a header"},
        {0, sizeof broken - 1, 1, broken, 0, "the envelope is malformed"},
        {0, sizeof lone - 1, 0, lone, 0, "the envelope is malformed"},
        {0, sizeof two - 1, 1, two, 0, "the envelope is malformed"},
        {0, sizeof two - 1, 3, two, 0, "the envelope is malformed"},
        {1, sizeof two - 1, 2, two, FILE_HEADER + sizeof two + 1, "it is shorter than its header says"},
        {UINT64_C(1) << 63, sizeof two - 1, 2, two, 0, "it is shorter than its header says"},
        {0, ENVELOPE_MAX, 1, "", FILE_HEADER + ENVELOPE_MAX + 1, "the envelope's checksum is wrong"},
        {0, ENVELOPE_MAX + 1, 1, "", FILE_HEADER + ENVELOPE_MAX + 2, "it is shorter than its header says"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].text);
        struct file_header h = {cases[i].message, cases[i].envelope, cases[i].recipients, 0,
                                crc32c(0, cases[i].text, len)};
        struct file f = FILE_ZERO;
        char whole[FILE_HEADER + 64] = "";
        char const *why = "";
        int fd = memfd_create("queue", MFD_CLOEXEC);

        file_header_fmt(whole, &h);
        memcpy(whole + FILE_HEADER, cases[i].text, len);
        memset(whole + FILE_HEADER + len, STATUS_TODO, 3);
        if (fd == -1 || pwrite(fd, whole, sizeof whole, 0) != sizeof whole ||
            ftruncate(fd, cases[i].size ? cases[i].size : (off_t)sizeof whole) == -1)
            exit(111);
        ok(file_read(fd, &f, &why) == 0 && !strcmp(why, cases[i].why), "case %zu: %s", i, why);
        file_free(&f);
        close(fd);
    }
}

/* The same file, only to write: what cannot be read proves nothing against it. */
static void
unreadable(void)
{
    struct file_header h;
    struct file f = FILE_ZERO;
    stralloc whole = STRALLOC_ZERO;
    char path[32];
    char const *why = 0;
    off_t end;
    int fd = make(300, &h, &whole);
    int writes;

    for (size_t i = 0; i < FILE_HEADER - 1; i++)
        if (whole.s[i] < ' ' || whole.s[i] > '~')
            ok(0, "byte %zu of the header is not printable", i);
    errno = EINTR; /* of something before */
    ok(file_read(fd, &f, &why) == 1, "what errno was says nothing about a read");
    if (pwrite(fd, "line\n", 5, (off_t)whole.len) != 5)
        exit(111);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    writes = open(path, O_WRONLY | O_CLOEXEC);
    errno = 0;
    ok(file_read(writes, &f, &why) == -1 && errno == EBADF && !why, "a read that fails is an error");
    ok(file_prove(writes, &h) == -1 && errno == EBADF, "and so with the message");
    errno = 0;
    ok(!file_logend(writes, &h, &end) && errno == EBADF, "and with the log");
    ok(file_read(-1, &f, &why) == -1 && errno == EBADF && !why, "no file");
    errno = 0;
    ok(!file_logend(-1, &h, &end) && errno == EBADF, "nor a log");
    h.message_crc ^= 1;
    ok(file_prove(fd, &h) == 0, "a wrong message is one");
    h.message_crc ^= 1;
    h.message = 100000;
    ok(file_prove(fd, &h) == 0, "one that ends early, too");
    file_free(&f);
    stralloc_free(&whole);
    close(writes);
    close(fd);
}

/* Without memory: that, and not damage, is what is wrong. */
static void
poor(void)
{
#ifndef PNEU_UNCONFINED /* the sanitizers cannot do without */
    static struct rlimit const none = {0, 0};
    struct file_header small, large = {0, ENVELOPE_MAX, 1, 0, 0};
    struct file f = FILE_ZERO;
    stralloc whole = STRALLOC_ZERO;
    char const *why;
    char header[FILE_HEADER];
    int one = make(FILE_WHOLE, &small, &whole);
    int two = memfd_create("queue", MFD_CLOEXEC);
    int status = -1;
    pid_t pid;

    file_header_fmt(header, &large);
    if (pwrite(two, header, sizeof header, 0) != sizeof header || ftruncate(two, FILE_HEADER + ENVELOPE_MAX + 1) == -1)
        exit(111);
    pid = fork();
    if (!pid) {
        int bad = 0;
        bad |= !stralloc_ready(&f.data, FILE_WHOLE) || setrlimit(RLIMIT_AS, &none) == -1;
        errno = 0;
        bad |= file_read(two, &f, &why) != -1 || errno != ENOMEM ? 2 : 0;
        f = (struct file)FILE_ZERO;
        while (malloc(FILE_WHOLE / 2))
            ;
        errno = 0;
        bad |= file_read(one, &f, &why) != -1 || errno != ENOMEM ? 4 : 0;
        _exit(bad);
    }
    waitpid(pid, &status, 0);
    ok(status == 0, "no memory for a file, nor for its envelope (%x)", (unsigned int)status);
    stralloc_free(&whole);
    close(one);
    close(two);
#endif
}

/* A log line with a right checksum. */
static struct bytes
line(char const *text)
{
    static char whole[512];

    (void)snprintf(whole, sizeof whole, "%08x %s\n", (unsigned int)crc32c(0, text, strlen(text)), text);
    return (struct bytes){whole, strlen(whole)};
}

/* Lines that are whole, and say nothing that we know of. */
static void
lines(void)
{
    static char const *const cases[] = {
        "",
        "t",
        "time=1 next=2 class=K code=2.0.0 to=0 remote=h",
        "Time=1 next=2 class=K code=2.0.0 to=0 remote=h text=x",
        "time=1 mext=2 class=K code=2.0.0 to=0 remote=h text=x",
        "time=1 next=2 klass=K code=2.0.0 to=0 remote=h text=x",
        "time=1 next=2 class=K kode=2.0.0 to=0 remote=h text=x",
        "time=1 next=2 class=K code=2.0.0 no=0 remote=h text=x",
        "time=1 next=2 class=K code=2.0.0 to=0 temote=h text=x",
        "time=1 next=2 class=K code=2.0.0 to=0 remote=h next=x",
        "time=1 next=2 class=KK code=2.0.0 to=0 remote=h text=x",
        "time=1 next=2 class= code=2.0.0 to=0 remote=h text=x",
        "time= next=2 class=K code=2.0.0 to=0 remote=h text=x",
        "time=x next=2 class=K code=2.0.0 to=0 remote=h text=x",
        "time=000000000000000000001 next=2 class=K code=2.0.0 to=0 remote=h text=x",
        "time=1 next=11111111112222222222333333333344444444445555555555666666666677777777778888888888 class=K code=2 "
        "to=0 "
        "remote=h text=x",
    };
    struct file_event e;
    struct bytes cursor = line("time=1 next=2 class=K code=2.0.0 to=0 remote=h text=x y");

    ok(file_event_next(&cursor, &e) && e.text.len == 3, "a line by hand");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cursor = line(cases[i]);
        ok(!file_event_next(&cursor, &e), "not a line: %s", cases[i]);
    }
    cursor = line("time=1 next=2 class=K code=2.0.0 to=0 remote=h text=x");
    ((char *)(uintptr_t)cursor.s)[8] = '-';
    ok(!file_event_next(&cursor, &e), "nor one without a blank behind the checksum");
}

/* Where the next line goes, whatever is there. */
static void
ends(void)
{
    static size_t const sizes[] = {0, 1, 4095, 4096, 4097, 20000};
    struct file_header h;
    stralloc whole = STRALLOC_ZERO;
    char junk[20000];
    int fd = make(300, &h, &whole);
    off_t end, begin = file_log(&h);

    memset(junk, 'x', sizeof junk);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (ftruncate(fd, begin) == -1 || pwrite(fd, junk, sizes[i], begin) != (ssize_t)sizes[i])
            exit(111);
        ok(file_logend(fd, &h, &end) == 1 && end == begin, "%zu bytes without an end", sizes[i]);
        if (pwrite(fd, "line\n", 5, begin) != 5)
            exit(111);
        ok(file_logend(fd, &h, &end) == 1 && end == begin + 5, "%zu bytes, a line in front of them", sizes[i]);
    }
    stralloc_free(&whole);
    close(fd);
}

static void
events(void)
{
    stralloc log = STRALLOC_ZERO;
    struct file_event e = {.time = 1700000000,
                           .next = 1700000400,
                           .class = 'Z',
                           .to = {"0-3,7", 5},
                           .code = {"4.4.1", 5},
                           .remote = {"mx.example.org (192.0.2.1)", 26},
                           .text = {"451 4.4.1 come back\nlater, \x1b", 28}};
    struct file_event got;
    struct bytes cursor;
    size_t first;

    ok(file_event_put(&log, &e), "an event is put");
    first = log.len;
    e.class = 'K';
    e.text = e.remote = (struct bytes){"", 0};
    ok(file_event_put(&log, &e), "and one without text");
    ok(!memchr(log.s, 0x1b, log.len), "in printable bytes");

    cursor = (struct bytes){log.s, log.len};
    ok(file_event_next(&cursor, &got) && got.class == 'Z' && got.time == 1700000000 && got.next == 1700000400 &&
           got.to.len == 5 && got.code.len == 5 &&
           !memcmp(got.text.s, "451 4.4.1 come back\\x0alater, \\x1b", got.text.len),
       "the first comes back");
    ok(file_event_next(&cursor, &got) && got.class == 'K' && !got.text.len && !got.remote.len, "the second comes back");
    ok(!file_event_next(&cursor, &got), "and no third");

    log.s[20] ^= 1;
    cursor = (struct bytes){log.s, log.len};
    ok(file_event_next(&cursor, &got) && got.class == 'K', "a damaged line is passed over");
    int torn = 1;
    for (size_t len = first; len < log.len; len++) {
        cursor = (struct bytes){log.s, len};
        torn = torn && !file_event_next(&cursor, &got);
    }
    ok(torn, "a torn last line counts for nothing, wherever it is torn");
    size_t kept = log.len;
    log.len = SIZE_MAX - 4;
    ok(!file_event_put(&log, &e) && log.len == SIZE_MAX - 4, "without memory nothing is put");
    log.len = kept;
    stralloc_free(&log);
}

static void
ranges(void)
{
    static struct {
        char const *text;
        int good;
        unsigned int sum; /* of the numbers in it */
    } const cases[] = {
        {"0", 1, 0},   {"7", 1, 7},    {"0-3", 1, 6}, {"0-3,7", 1, 13}, {"9", 1, 9},     {"3-3", 1, 3},
        {"1,1", 1, 2}, {"", 1, 0},     {",", 0, 0},   {"1,", 0, 0},     {"3-1", 0, 0},   {"-1", 0, 0},
        {"1-", 0, 0},  {"1--2", 0, 0}, {"a", 0, 0},   {"1 2", 0, 0},    {"1-2-3", 0, 0}, {"123456789", 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes cursor = {cases[i].text, strlen(cases[i].text)};
        uint32_t a, b;
        unsigned int sum = 0;
        int got;
        while ((got = file_range_next(&cursor, &a, &b)) == 1)
            for (uint32_t n = a; n <= b && n < 100; n++)
                sum += n;
        ok((got == 0) == cases[i].good && (!cases[i].good || sum == cases[i].sum), "recipients \"%s\"", cases[i].text);
    }
}

/* All of it or an error, whatever the disk takes at a time. */
static void
pieces(void)
{
    static int const interrupted[] = {EINTR, EINTR, -1}, broken[] = {EIO, -1}, full[] = {0, -1};
    int fd = memfd_create("queue", MFD_CLOEXEC);
    char got[20] = "";

    piece = 3;
    ok(file_write(fd, "0123456789", 10, 5) && pwrites == 4 && pread(fd, got, 10, 5) == 10 && !strcmp(got, "0123456789"),
       "in pieces, each where it belongs");
    results = interrupted;
    ok(file_write(fd, "abc", 3, 0) && pread(fd, got, 3, 0) == 3 && !memcmp(got, "abc", 3) && *results == -1,
       "a signal between: again");
    pwrites = 0;
    results = broken;
    errno = 0;
    ok(!file_write(fd, "xyz", 3, 0) && errno == EIO && !pwrites, "an error is one");
    results = full;
    ok(!file_write(fd, "xyz", 3, 0) && errno == ENOSPC && !pwrites, "no byte taken: the disk is full");
    results = 0;
    ok(file_write(fd, "xyz", 0, 0) && !pwrites, "nothing to write");
    piece = SIZE_MAX;
    close(fd);
}

int
main(void)
{
    static size_t const sizes[] = {0, 1, 300, FILE_WHOLE - 200, FILE_WHOLE - 128, FILE_WHOLE, 200000, 1000000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        round_trip(sizes[i]);
    pieces();
    damage();
    misfits();
    unreadable();
    poor();
    lines();
    ends();
    events();
    ranges();
    return tap_done();
}
