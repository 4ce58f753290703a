/* What the report is made from: the queue file, its log, the message's header. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/random.h>
#include <skalibs/sha256.h>
#include <skalibs/types.h>

#include "bounce/report.h"
#include "lib/header.h"
#include "queue/envelope.h"

#define LOG_MOST 16777216 /* of a longer log the end is read */
#define HEADER_MOST 65536 /* looked through for Message-ID and Subject */
#define BLOCK 65536

/* Returns bytes read, less than len only at the end of the file; -1 with errno. */
static ssize_t
read_at(int fd, char *s, size_t len, off_t at)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = pread(fd, s + got, len - got, at + (off_t)got);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        if (!n)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* ---- envelope and log ---- */

static void
take_record(struct report *r, struct record const *rec)
{
    if (record_is(rec, "from"))
        r->from = rec->value;
    else if (record_is(rec, "envid"))
        r->envid = rec->value;
    else if (record_is(rec, "ret"))
        r->ret = rec->value;
    else if (record_is(rec, "smtputf8"))
        r->smtputf8 = 1;
    else if (record_is(rec, "time"))
        (void)record_uint(rec, &r->arrival);
}

static int
is_about(struct report const *r, char status)
{
    switch (r->of) {
    case OF_FAILURE:
        return status == STATUS_FAILED;
    case OF_SUCCESS:
        return status == STATUS_SUCCEEDED;
    default:
        return status != STATUS_DONE && status != STATUS_FAILED && status != STATUS_BOUNCED &&
               status != STATUS_SUCCEEDED;
    }
}

/* A recipient of whose delay nobody wants to hear is taken back. */
static void
settle_notify(struct report *r, struct owed **last, struct bytes notify, int tellall)
{
    int asked = notify.len && memmem(notify.s, notify.len, "DELAY", 5) != 0;

    if (*last && r->of == OF_DELAY) {
        r->asked |= asked;
        if (!asked && (notify.len || !tellall))
            r->count--;
    }
    *last = 0;
}

static int
take_envelope(struct report *r, int tellall)
{
    struct bytes cursor = r->file.envelope;
    struct bytes notify = {0};
    struct record rec;
    struct owed *last = 0;
    uint32_t index = 0, n = 0;

    for (uint32_t i = 0; i < r->file.header.recipients; i++)
        n += is_about(r, r->file.status[i]) != 0;
    r->owed = calloc(n ? n : 1, sizeof *r->owed);
    if (!r->owed)
        return 0;
    while (envelope_next(&cursor, &rec) == 1)
        if (record_is(&rec, "to")) {
            settle_notify(r, &last, notify, tellall);
            notify.len = 0;
            if (is_about(r, r->file.status[index])) {
                last = r->owed + r->count++;
                *last = (struct owed){.index = index, .address = rec.value};
            }
            index++;
        } else if (!index)
            take_record(r, &rec);
        else if (last && record_is(&rec, "orcpt"))
            last->orcpt = rec.value;
        else if (record_is(&rec, "notify"))
            notify = rec.value;
    settle_notify(r, &last, notify, tellall);
    return 1;
}

static int
read_log(struct report *r)
{
    off_t begin = file_log(&r->file.header);
    struct stat st;
    size_t len;
    ssize_t n;

    if (fstat(r->fd, &st) == -1)
        return 0;
    if (st.st_size - begin > LOG_MOST)
        begin = st.st_size - LOG_MOST; /* the line that is cut there has a wrong checksum */
    len = st.st_size > begin ? (size_t)(st.st_size - begin) : 0;
    if (!stralloc_ready(&r->log, len + 1))
        return 0;
    n = read_at(r->fd, r->log.s, len, begin);
    if (n == -1)
        return 0;
    r->log.len = (size_t)n;
    return 1;
}

/* The owed recipients within first to last were last heard of in that event. */
static void
name_event(struct report *r, uint32_t first, uint32_t last, size_t event)
{
    uint32_t low = 0, high = r->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->owed[middle].index < first)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->count && r->owed[low].index <= last; low++)
        r->owed[low].event = event;
}

static int
take_log(struct report *r)
{
    struct bytes log = {r->log.s, r->log.len};
    struct file_event e;
    size_t room = 0;

    while (file_event_next(&log, &e)) {
        struct bytes to = e.to;
        uint32_t first, last;
        if (r->nevents == room) {
            void *more = realloc(r->events, (room = room * 2 + 16) * sizeof *r->events);
            if (!more)
                return 0;
            r->events = more;
        }
        r->events[r->nevents] = e;
        while (e.class != 'W' && file_range_next(&to, &first, &last) == 1)
            name_event(r, first, last, r->nevents);
        r->nevents++;
    }
    return 1;
}

int
report_read(struct report *r, int tellall, char const **why)
{
    int got = file_read(r->fd, &r->file, why);

    if (got != 1)
        return got;
    if (!take_envelope(r, tellall))
        return -1;
    for (uint32_t i = 0; i < r->count; i++)
        r->owed[i].event = SIZE_MAX;
    return read_log(r) && take_log(r) ? 1 : -1;
}

/* ---- the message ---- */

static int
high(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] > 0x7f)
            return 1;
    return 0;
}

/* One line of printable bytes, or nothing: what goes into a header of ours must not end it. */
static int
take_field(stralloc *to, char const *s, size_t len)
{
    to->len = 0;
    for (; len && (*s == ' ' || *s == '\t'); s++)
        len--;
    while (len && (s[len - 1] == '\n' || s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    if (len > 250 || memchr(s, '\n', len))
        return 1;
    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] > 0x7e)
            return 1;
    return stralloc_copyb(to, s, len);
}

/* 1 if the field has that name (with its colon) and its body begins with that word. */
static int
is_field(struct header const *h, struct header_field const *f, char const *name, char const *word)
{
    char const *s = h->text.s;
    size_t len = strlen(name), at = f->body;

    if (f->end - f->start < len || strncasecmp(s + f->start, name, len) != 0)
        return 0;
    while (at < f->end && (s[at] == ' ' || s[at] == '\t'))
        at++;
    return f->end - at >= strlen(word) && !strncasecmp(s + at, word, strlen(word));
}

static int
take_header(struct report *r, char const *s, size_t len)
{
    struct header h = HEADER_ZERO;
    size_t used;
    int good = header_feed(&h, s, len, &used) != -1;

    for (size_t i = 0; good && i < header_count(&h); i++) {
        struct header_field const *f = header_field(&h, i);
        char const *body = h.text.s + f->body;
        if (f->name == HEADER_MESSAGE_ID && f->end > f->body)
            good = take_field(&r->messageid, body, f->end - f->body);
        else if (f->name == HEADER_OTHER && f->body - f->start >= 8 && !strncasecmp(h.text.s + f->start, "subject", 7))
            good = take_field(&r->subject, body, f->end - f->body);
    }
    for (size_t i = 0; i < header_count(&h); i++) {
        struct header_field const *f = header_field(&h, i);
        r->list |= is_field(&h, f, "list-id:", "") || is_field(&h, f, "precedence:", "bulk") ||
                   is_field(&h, f, "precedence:", "list") || is_field(&h, f, "precedence:", "junk");
    }
    header_free(&h);
    /* No blanks, and it must be one: it goes into In-Reply-To. */
    if (r->messageid.len && (*r->messageid.s != '<' || r->messageid.s[r->messageid.len - 1] != '>' ||
                             memchr(r->messageid.s, ' ', r->messageid.len)))
        r->messageid.len = 0;
    return good || errno == EMSGSIZE;
}

/* Where the header ends: behind its empty line, or where the message does. */
static size_t
header_end(char const *s, size_t len)
{
    char const *end;

    if (len && *s == '\n')
        return 1;
    end = memmem(s, len, "\n\n", 2);
    return end ? (size_t)(end - s) + 1 : len;
}

int
report_survey(struct report *r, struct report_names const *names)
{
    static char block[BLOCK];
    unsigned char bytes[16];
    uint64_t at = 0;

    random_buf((char *)bytes, sizeof bytes); /* nobody can have written this line into his message before */
    memcpy(r->boundary, "pneu-", 5);
    for (unsigned int i = 0; i < sizeof bytes; i++) {
        r->boundary[5 + 2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        r->boundary[6 + 2 * i] = "0123456789abcdef"[bytes[i] & 15];
    }
    r->boundary[37] = 0;
    r->whole = r->of == OF_FAILURE && r->file.header.message <= names->maxbytes &&
               !(r->ret.len == 4 && !memcmp(r->ret.s, "HDRS", 4));
    r->returned = r->file.header.message;
    r->utf8 = r->smtputf8 && high(r->from.s, r->from.len);
    for (uint32_t i = 0; r->smtputf8 && i < r->count; i++)
        r->utf8 |= high(r->owed[i].address.s, r->owed[i].address.len);
    while (at < r->returned) {
        size_t want = r->returned - at < sizeof block ? (size_t)(r->returned - at) : sizeof block;
        ssize_t n = read_at(r->fd, block, want, FILE_HEADER + (off_t)at);
        if (n != (ssize_t)want)
            return n == -1 ? 0 : (errno = EPROTO, 0);
        if (!at && !take_header(r, block, want < HEADER_MOST ? want : HEADER_MOST))
            return 0;
        if (!at && !r->whole) /* a header longer than that is returned in part */
            r->returned = want = header_end(block, want);
        r->eightbit |= high(block, want);
        at += want;
    }
    return 1;
}

/* Which recipients a report tells of: two reports of one message have the same token only if they are one. */
static int
put_set(struct report const *r, stralloc *to)
{
    SHA256Schedule hash = SHA256_INIT();
    char digest[32];
    char hex[64];
    char count[UINT32_FMT];

    for (uint32_t i = 0; i < r->count; i++) {
        char number[4];
        uint32_pack_big(number, r->owed[i].index);
        sha256_update(&hash, number, sizeof number);
    }
    sha256_final(&hash, digest);
    for (unsigned int i = 0; i < 32; i++) {
        hex[2 * i] = "0123456789abcdef"[(unsigned char)digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return stralloc_catb(to, count, uint32_fmt(count, r->count)) && stralloc_cats(to, " ") &&
           stralloc_catb(to, hex, sizeof hex);
}

int
report_token(struct report const *r, stralloc *to)
{
    static char const *const words[] = {[OF_FAILURE] = "bounce ", [OF_SUCCESS] = "confirm ", [OF_DELAY] = "delay "};
    char notice[UINT_FMT];

    if (!stralloc_cats(to, words[r->of]) || !stralloc_cats(to, r->id) || !stralloc_cats(to, " "))
        return 0;
    if (r->of == OF_DELAY) /* who is left may change between two tries of one notice */
        return stralloc_catb(to, notice, uint_fmt(notice, r->notice));
    return put_set(r, to);
}

void
report_free(struct report *r)
{
    file_free(&r->file);
    stralloc_free(&r->log);
    stralloc_free(&r->messageid);
    stralloc_free(&r->subject);
    free(r->owed);
    free(r->events);
}
