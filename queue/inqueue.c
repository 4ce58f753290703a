#include "queue/inqueue.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "lib/confine.h"
#include "queue/envelope.h"

#define PIECE 65536

int
inqueue_confine(void)
{
    static struct confine const c = {
        .may = 0,
        .as = 268435456,
        .nofile = CONFINE_SAME,
        .fsize = CONFINE_SAME,
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

/* Looks at the bytes that came in since `seen`. Returns 1 once the final NUL is
 * among them, *end is behind it; 0 if not yet; minus a QUEUE_* code. `at` is
 * where the current field begins. */
static int
walk(struct bytes text, size_t *at, size_t *end)
{
    for (;;) {
        char const *field = text.s + *at;
        size_t left = text.len - *at;
        char const *nul = memchr(field, 0, left);
        size_t len = nul ? (size_t)(nul - field) : left;
        if (left && *field != (*at ? 'T' : 'F') && (!*at || *field))
            return -QUEUE_FORMAT;
        if (len > INQUEUE_ADDRESS_MAX)
            return -QUEUE_LONG;
        if (!nul)
            return 0;
        *at += len + 1;
        if (!len) {
            *end = *at;
            return 1;
        }
    }
}

/* Drops the letters: "Fa\0Tb\0Tc\0\0" becomes "a\0b\0c\0". */
static void
strip(stralloc *to, size_t begin, size_t end)
{
    size_t w = begin;
    size_t r = begin;

    while (r + 1 < end) {
        size_t n = strlen(to->s + r + 1) + 1;
        memmove(to->s + w, to->s + r + 1, n);
        w += n;
        r += n + 1;
    }
    to->len = w;
}

/* Addresses that no queue file can hold. */
static int
check(struct bytes addresses)
{
    while (addresses.len) {
        size_t len = strlen(addresses.s);
        if (len > ENVELOPE_ADDRESS_MAX)
            return QUEUE_LONG;
        if (!envelope_address(addresses.s, len))
            return QUEUE_REFUSED;
        addresses.s += len + 1;
        addresses.len -= len + 1;
    }
    return QUEUE_OK;
}

int
inqueue_addresses(int fd, stralloc *to)
{
    size_t begin = to->len;
    size_t at = 0, end;
    int whole;

    for (;;) {
        struct bytes text;
        if (to->len - begin > ENVELOPE_MAX || !stralloc_readyplus(to, 4096))
            return QUEUE_MEMORY;
        ssize_t n = fd_read(fd, to->s + to->len, 4096);
        if (n <= 0)
            return QUEUE_READ;
        to->len += (size_t)n;
        text.s = to->s + begin;
        text.len = to->len - begin;
        whole = walk(text, &at, &end);
        if (whole)
            break;
    }
    if (whole < 0)
        return -whole;
    strip(to, begin, begin + end);
    return check((struct bytes){to->s + begin, to->len - begin});
}

/* Appends the records of the address that follows in `cursor`: those behind its
 * to=, up to the next one. */
static int
append_records(stralloc *to, struct bytes cursor)
{
    struct record r;
    char const *begin = cursor.s;
    char const *end = begin;
    int got;

    while ((got = envelope_next(&cursor, &r)) == 1 && !record_is(&r, "to"))
        end = cursor.s;
    return got != -1 && stralloc_catb(to, begin, (size_t)(end - begin));
}

/* Finds the to= of that address in `all`, from *cursor on and then from the
 * beginning. Returns 1 with *cursor behind it, 0, -1. */
static int
find_address(struct bytes all, struct bytes *cursor, char const *address, size_t len)
{
    struct bytes walk_on = *cursor;
    struct record r;
    int got;

    for (int round = 0; round < 2; round++) {
        while ((got = envelope_next(&walk_on, &r)) == 1)
            if (record_is(&r, "to") && r.value.len == len && !memcmp(r.value.s, address, len)) {
                *cursor = walk_on;
                return 1;
            }
        if (got == -1)
            return -1;
        walk_on = all;
    }
    return 0;
}

int
inqueue_closing(stralloc *to, struct bytes addresses, struct bytes extra)
{
    struct bytes cursor = extra;
    int first = 1;

    while (addresses.len) {
        size_t len = strlen(addresses.s);
        if (!envelope_put(to, first ? "from" : "to", addresses.s, len))
            return 0;
        int found = first ? 0 : find_address(extra, &cursor, addresses.s, len);
        if (found == -1 || (found && !append_records(to, cursor)))
            return 0;
        addresses.s += len + 1;
        addresses.len -= len + 1;
        first = 0;
    }
    return 1;
}

int
inqueue_opening(stralloc *to, struct bytes extra, long long size)
{
    struct record r;
    int got;

    for (;;) {
        char const *begin = extra.s;
        got = envelope_next(&extra, &r);
        if (got != 1 || record_is(&r, "to"))
            break;
        if (record_is(&r, "from") || record_is(&r, "size") || record_is(&r, "ask"))
            continue;
        if (!stralloc_catb(to, begin, (size_t)(extra.s - begin)))
            return 0;
    }
    if (got == -1)
        return 0;
    return size < 0 || envelope_putuint(to, "size", (uint64_t)size);
}

/* Reads all of a descriptor. */
static int
slurp(int fd, stralloc *to)
{
    for (;;) {
        if (to->len > ENVELOPE_MAX || !stralloc_readyplus(to, 4096))
            return QUEUE_MEMORY;
        ssize_t n = fd_read(fd, to->s + to->len, 4096);
        if (n <= 0)
            return n == 0 ? QUEUE_OK : QUEUE_READ;
        to->len += (size_t)n;
    }
}

void
inqueue_look(struct inqueue *q)
{
    struct stat st;
    off_t at;

    q->extra_file = q->extra != -1 && fstat(q->extra, &st) == 0 && S_ISREG(st.st_mode);
    q->size = -1;
    if (fstat(q->message, &st) == -1 || !S_ISREG(st.st_mode))
        return;
    at = lseek(q->message, 0, SEEK_CUR);
    if (at != -1 && at <= st.st_size)
        q->size = st.st_size - at;
}

static int
copy(struct intake *in, int fd)
{
    char piece[PIECE];

    for (;;) {
        ssize_t n = fd_read(fd, piece, sizeof piece);
        if (n <= 0)
            return n == 0 ? QUEUE_OK : QUEUE_READ;
        if (!intake_data(in, piece, (size_t)n))
            return QUEUE_CUT;
    }
}

static int
broken(void)
{
    switch (errno) {
    case ETIMEDOUT:
        return QUEUE_SILENT;
    case ENOMEM:
        return QUEUE_MEMORY;
    case EPROTO:
        return QUEUE_FORMAT;
    default:
        return QUEUE_CUT;
    }
}

static struct bytes
of(stralloc const *sa)
{
    return (struct bytes){sa->s ? sa->s : "", sa->len};
}

int
inqueue(struct inqueue const *q, struct intake *in, struct intake_answer *answer, char const **text)
{
    stralloc records = STRALLOC_ZERO, opening = STRALLOC_ZERO, closing = STRALLOC_ZERO, envelope = STRALLOC_ZERO;
    int e;

    /* Records in a file are read first: a token, or who logged in, is wanted
     * before the message. Those in a pipe may be written last. */
    *text = "cannot read $PNEU_ENVELOPE";
    if (q->extra_file && (e = slurp(q->extra, &records)))
        return e;
    *text = "$PNEU_ENVELOPE holds a malformed record";
    if (!inqueue_opening(&opening, of(&records), q->size))
        return broken();
    *text = "cannot send the message to the intake";
    if (!intake_begin(in, of(&opening)))
        return broken();
    e = copy(in, q->message);
    if (e == QUEUE_READ)
        *text = "cannot read the message";
    if (e)
        return e == QUEUE_CUT ? broken() : e;
    *text = "the envelope is malformed, or ends early";
    if ((e = inqueue_addresses(q->addresses, &envelope)))
        return e;
    *text = "cannot read $PNEU_ENVELOPE";
    if (q->extra != -1 && !q->extra_file && (e = slurp(q->extra, &records)))
        return e;
    *text = "$PNEU_ENVELOPE holds a malformed record";
    if ((q->extra_file || inqueue_opening(&closing, of(&records), -1)) &&
        inqueue_closing(&closing, of(&envelope), of(&records)))
        *text = "cannot send the message to the intake";
    else
        return broken();
    if (!intake_end(in, of(&closing), answer))
        return broken();
    *text = answer->text;
    return answer->class == 'K' ? QUEUE_OK : answer->exit ? (int)answer->exit : QUEUE_BUG;
}
