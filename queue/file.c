#include "queue/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/crc.h"
#include "lib/log.h"
#include "queue/envelope.h"

/* "pneu1 message=00000000000000004096 envelope=0000000123 recipients=0000000001
 * crc=aaaaaaaa,bbbbbbbb header=cccccccc" and blanks: whoever opens the file in
 * a pager sees what he has. The columns never move. */
enum {
    AT_MESSAGE = 14,
    AT_ENVELOPE = 44,
    AT_RECIPIENTS = 66,
    AT_CRC = 81,
    AT_CRC2 = 90,
    AT_HEADER = 98,
    AT_HEADER_CRC = 106
};

static void
decimal(char *to, uint64_t value, unsigned int digits)
{
    while (digits--) {
        to[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void
hexadecimal(char *to, uint32_t value)
{
    for (unsigned int digits = 8; digits--; value >>= 4)
        to[digits] = "0123456789abcdef"[value & 15];
}

int
file_write(int fd, char const *s, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, s, len, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? (errno = ENOSPC, 0) : 0;
        s += n;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

void
file_header_fmt(char s[static FILE_HEADER], struct file_header const *h)
{
    static char const form[] = "pneu1 message=                     envelope=   "
                               "        recipients=           "
                               "crc=        ,         header=        ";

    memset(s, ' ', FILE_HEADER);
    memcpy(s, form, sizeof form - 1);
    decimal(s + AT_MESSAGE, h->message, 20);
    decimal(s + AT_ENVELOPE, h->envelope, 10);
    decimal(s + AT_RECIPIENTS, h->recipients, 10);
    hexadecimal(s + AT_CRC, h->message_crc);
    hexadecimal(s + AT_CRC2, h->envelope_crc);
    hexadecimal(s + AT_HEADER_CRC, crc32c(0, s, AT_HEADER));
    s[FILE_HEADER - 1] = '\n';
}

static uint64_t
number(char const *s, unsigned int digits)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < digits; i++)
        n = n * 10 + (uint64_t)(unsigned char)(s[i] - '0');
    return n;
}

static uint32_t
hexnumber(char const *s)
{
    uint32_t n = 0;

    for (unsigned int i = 0; i < 8; i++)
        n = n << 4 | (uint32_t)((s[i] >= 'a' ? s[i] - 'a' + 10 : s[i] - '0') & 15);
    return n;
}

/* Reads without a doubt, then writes what it read: only a header that comes out
 * equal is one. */
int
file_header_scan(char const s[static FILE_HEADER], struct file_header *h)
{
    char again[FILE_HEADER];

    h->message = number(s + AT_MESSAGE, 20);
    h->envelope = (uint32_t)number(s + AT_ENVELOPE, 10);
    h->recipients = (uint32_t)number(s + AT_RECIPIENTS, 10);
    h->message_crc = hexnumber(s + AT_CRC);
    h->envelope_crc = hexnumber(s + AT_CRC2);
    file_header_fmt(again, h);
    return !memcmp(s, again, FILE_HEADER) ? 1 : (errno = EPROTO, 0);
}

/* Reads len bytes at that offset. Returns 1, 0 if the file ends before, -1 with
 * errno. */
static int
read_at(int fd, char *s, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pread(fd, s, len, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        s += n;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

static int
damaged(char const **why, char const *text)
{
    *why = text;
    return 0;
}

/* The first block is in data: brings the rest, so that data holds envelope and
 * status at `at`. */
static int
read_envelope(int fd, struct file *f, size_t have, size_t *at)
{
    size_t need = (size_t)f->header.envelope + f->header.recipients;
    off_t begin = file_envelope(&f->header);

    if ((uint64_t)begin + need <= have) {
        *at = (size_t)begin;
        return 1;
    }
    *at = 0;
    if (!stralloc_ready(&f->data, need))
        return -1;
    return read_at(fd, f->data.s, need, begin);
}

static int
prove(struct file *f, size_t at, char const **why)
{
    uint32_t recipients;

    f->envelope.s = f->data.s + at;
    f->envelope.len = f->header.envelope;
    f->status = f->data.s + at + f->header.envelope;
    if (crc32c(0, f->envelope.s, f->envelope.len) != f->header.envelope_crc)
        return damaged(why, "the envelope's checksum is wrong");
    if (at && crc32c(0, f->data.s + FILE_HEADER, f->header.message) != f->header.message_crc)
        return damaged(why, "the message's checksum is wrong");
    if (!envelope_check(f->envelope, &recipients) || recipients != f->header.recipients || !recipients)
        return damaged(why, "the envelope is malformed");
    return 1;
}

int
file_read(int fd, struct file *f, char const **why)
{
    struct stat st;
    size_t have, at;
    int got;

    if (fstat(fd, &st) == -1)
        return -1;
    if (!S_ISREG(st.st_mode))
        return damaged(why, "it is no file");
    if (st.st_size < FILE_HEADER)
        return damaged(why, "it is shorter than a header");
    have = st.st_size < FILE_WHOLE ? (size_t)st.st_size : FILE_WHOLE;
    if (!stralloc_ready(&f->data, have))
        return -1;
    got = read_at(fd, f->data.s, have, 0);
    if (got != 1)
        return got == -1 ? -1 : damaged(why, "it shrinks while it is read");
    if (!file_header_scan(f->data.s, &f->header))
        return damaged(why, "it has no right header");
    if (f->header.message > (uint64_t)st.st_size || f->header.envelope > ENVELOPE_MAX ||
        file_log(&f->header) > st.st_size)
        return damaged(why, "it is shorter than its header says");
    got = read_envelope(fd, f, have, &at);
    if (got != 1)
        return got == -1 ? -1 : damaged(why, "it shrinks while it is read");
    return prove(f, at, why);
}

void
file_free(struct file *f)
{
    stralloc_free(&f->data);
    f->envelope.len = 0;
    f->status = 0;
}

int
file_prove(int fd, struct file_header const *h)
{
    char block[16384];
    uint64_t left = h->message;
    off_t at = FILE_HEADER;
    uint32_t crc = 0;

    while (left) {
        size_t n = left < sizeof block ? (size_t)left : sizeof block;
        int got = read_at(fd, block, n, at);
        if (got != 1)
            return got;
        crc = crc32c(crc, block, n);
        at += (off_t)n;
        left -= n;
    }
    return crc == h->message_crc;
}

/* A line of the log: "CRC time=T next=N class=C code=X to=R remote=H text=T\n";
 * CRC is that of all behind its blank, without the newline. */

static int
field(stralloc *to, char const *key, struct bytes value, size_t max, int spaces)
{
    if (value.len > max)
        value.len = max;
    return stralloc_cats(to, key) && log_escape(to, value.s, value.len, spaces);
}

static int
field_uint(stralloc *to, char const *key, uint64_t value)
{
    char digits[UINT64_FMT];

    return stralloc_cats(to, key) && stralloc_catb(to, digits, uint64_fmt(digits, value));
}

int
file_event_put(stralloc *to, struct file_event const *e)
{
    size_t begin = to->len;

    if (!stralloc_catb(to, "         ", 9) || !field_uint(to, "time=", e->time) || !field_uint(to, " next=", e->next) ||
        !stralloc_cats(to, " class=") || !stralloc_catb(to, &e->class, 1) || !field(to, " code=", e->code, 16, 0) ||
        !field(to, " to=", e->to, SIZE_MAX, 0) || !field(to, " remote=", e->remote, FILE_TEXT_MAX, 0) ||
        !field(to, " text=", e->text, FILE_TEXT_MAX, 1)) {
        to->len = begin;
        return 0;
    }
    hexadecimal(to->s + begin, crc32c(0, to->s + begin + 9, to->len - begin - 9));
    return stralloc_catb(to, "\n", 1) ? 1 : (to->len = begin, 0);
}

/* Takes "key=value" off the front of the line. */
static int
take_field(struct bytes *line, char const *key, struct bytes *value)
{
    size_t n = strlen(key);
    char const *end;

    if (line->len < n || memcmp(line->s, key, n))
        return 0;
    line->s += n;
    line->len -= n;
    end = memchr(line->s, ' ', line->len);
    value->s = line->s;
    value->len = end ? (size_t)(end - line->s) : line->len;
    line->s += value->len;
    line->len -= value->len;
    return 1;
}

static int
take_uint(struct bytes *line, char const *key, uint64_t *n)
{
    struct bytes value;
    char digits[UINT64_FMT];

    if (!take_field(line, key, &value) || value.len >= sizeof digits)
        return 0;
    memcpy(digits, value.s, value.len);
    digits[value.len] = 0;
    return uint640_scan(digits, n) != 0;
}

static int
event_scan(struct bytes line, struct file_event *e)
{
    char crc[8];
    struct bytes class;

    if (line.len < 9 || line.s[8] != ' ')
        return 0;
    hexadecimal(crc, crc32c(0, line.s + 9, line.len - 9));
    if (memcmp(crc, line.s, 8))
        return 0;
    line.s += 9;
    line.len -= 9;
    if (!take_uint(&line, "time=", &e->time) || !take_uint(&line, " next=", &e->next) ||
        !take_field(&line, " class=", &class) || class.len != 1 || !take_field(&line, " code=", &e->code) ||
        !take_field(&line, " to=", &e->to) || !take_field(&line, " remote=", &e->remote) ||
        !take_field(&line, " text=", &e->text))
        return 0;
    e->text.len += line.len; /* the last value has blanks in it */
    e->class = *class.s;
    return 1;
}

int
file_event_next(struct bytes *log, struct file_event *e)
{
    while (log->len) {
        char const *newline = memchr(log->s, '\n', log->len);
        struct bytes line = {log->s, newline ? (size_t)(newline - log->s) : log->len};
        size_t taken = line.len + (newline != 0);
        log->s += taken;
        log->len -= taken;
        if (newline && event_scan(line, e))
            return 1;
    }
    return 0;
}

int
file_logend(int fd, struct file_header const *h, off_t *end)
{
    off_t begin = file_log(h);
    char block[4096];
    struct stat st;
    off_t at;

    if (fstat(fd, &st) == -1)
        return 0;
    for (at = st.st_size; at > begin;) {
        size_t len = at - begin < (off_t)sizeof block ? (size_t)(at - begin) : sizeof block;
        ssize_t n = pread(fd, block, len, at - (off_t)len);
        char const *newline;
        if (n != (ssize_t)len)
            return n == -1 ? 0 : (errno = EIO, 0);
        newline = memrchr(block, '\n', len);
        if (newline) {
            *end = at - (off_t)len + (newline - block) + 1;
            return 1;
        }
        at -= (off_t)len;
    }
    *end = begin;
    return 1;
}

static int
range_number(struct bytes *ranges, uint32_t *n)
{
    uint64_t value = 0;
    size_t digits = 0;

    for (; ranges->len && *ranges->s >= '0' && *ranges->s <= '9' && digits < 8; digits++) {
        value = value * 10 + (uint64_t)(*ranges->s - '0');
        ranges->s++;
        ranges->len--;
    }
    *n = (uint32_t)value;
    return digits != 0;
}

int
file_range_next(struct bytes *ranges, uint32_t *first, uint32_t *last)
{
    if (!ranges->len)
        return 0;
    if (!range_number(ranges, first))
        return (errno = EPROTO, -1);
    *last = *first;
    if (ranges->len && *ranges->s == '-') {
        ranges->s++;
        ranges->len--;
        if (!range_number(ranges, last) || *last < *first)
            return (errno = EPROTO, -1);
    }
    if (ranges->len) {
        if (*ranges->s != ',' || ranges->len == 1)
            return (errno = EPROTO, -1);
        ranges->s++;
        ranges->len--;
    }
    return 1;
}
