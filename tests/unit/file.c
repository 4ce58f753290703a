/* queue/file: what is written is read back, and every damaged byte is noticed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/crc.h"
#include "queue/envelope.h"
#include "queue/file.h"
#include "tests/tap.h"

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
        {"0", 1, 0}, {"7", 1, 7},   {"0-3", 1, 6},   {"0-3,7", 1, 13},    {"1,1", 1, 2}, {"", 1, 0},
        {",", 0, 0}, {"1,", 0, 0},  {"3-1", 0, 0},   {"-1", 0, 0},        {"1-", 0, 0},  {"1--2", 0, 0},
        {"a", 0, 0}, {"1 2", 0, 0}, {"1-2-3", 0, 0}, {"123456789", 0, 0},
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

int
main(void)
{
    static size_t const sizes[] = {0, 1, 300, FILE_WHOLE - 200, FILE_WHOLE - 128, FILE_WHOLE, 200000, 1000000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        round_trip(sizes[i]);
    damage();
    events();
    ranges();
    return tap_done();
}
