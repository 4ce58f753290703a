#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "local/delivery.h"

static ssize_t
read_block(struct message const *m, uint64_t at, char *s)
{
    size_t want = MESSAGE_BLOCK, have = 0;

    if (at >= m->length)
        return 0;
    if (want > m->length - at)
        want = (size_t)(m->length - at);
    while (have < want) {
        ssize_t n = pread(m->fd, s + have, want - have, (off_t)(at + have));
        if (n > 0)
            have += (size_t)n;
        else if (!n)
            return (errno = EIO, -1); /* shorter than promised: damaged */
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)have;
}

ssize_t
message_read(struct message *m, uint64_t at, char const **s)
{
    if (at < m->head) {
        *s = m->block + at;
        return (ssize_t)(m->head - at);
    }
    *s = m->spare;
    return read_block(m, at, m->spare);
}

int
message_open(struct message *m, int fd, uint64_t length)
{
    m->fd = fd;
    m->length = length;
    m->head = 0;
    ssize_t n = read_block(m, 0, m->block);
    if (n == -1)
        return 0;
    m->head = (size_t)n;
    return 1;
}

int
message_copy(struct message *m, struct bytes prefix, int fd)
{
    struct iovec parts[2];
    char const *s;
    ssize_t n;

    /* An iovec has no const for what is only read. */
    memcpy(&parts[0].iov_base, &prefix.s, sizeof prefix.s);
    parts[0].iov_len = prefix.len;
    parts[1].iov_base = m->block;
    parts[1].iov_len = m->head;
    if (allwritev(fd, parts, 2) < prefix.len + m->head)
        return 0;
    for (uint64_t at = m->head; (n = message_read(m, at, &s)); at += (uint64_t)n) {
        if (n == -1)
            return -1;
        if (allwrite(fd, s, (size_t)n) < (size_t)n)
            return 0;
    }
    return 1;
}

/* Looks through the lines of one block, the first of which may be the rest of one
 * that is skipped. Returns 1 found, 0 not, 2 the header ended; *rest gets the
 * bytes of the line that the block cuts off. */
static int
search_block(char const *s, size_t len, int skip, struct bytes line, size_t *rest)
{
    char const *lf;

    for (; (lf = memchr(s, '\n', len)); skip = 0) {
        size_t n = (size_t)(lf + 1 - s);
        if (n == 1 && !skip)
            return 2;
        if (n == line.len && !skip && !memcmp(s, line.s, n))
            return 1;
        s += n, len -= n;
    }
    *rest = len;
    return 0;
}

int
message_has(struct message *m, struct bytes line)
{
    char const *s = m->block;
    ssize_t n = (ssize_t)m->head;
    int skip = 0;

    for (uint64_t at = 0; n > 0;) {
        size_t rest = 0;
        int found = search_block(s, (size_t)n, skip, line, &rest);
        if (found)
            return found == 1;
        if (at + (uint64_t)n >= m->length)
            return 0;
        /* On with the line that was cut off, unless it is longer than ours can
         * be: then with what follows it. */
        skip = rest > MESSAGE_BLOCK / 2;
        at += (uint64_t)n - (skip ? 0 : rest);
        s = m->spare;
        n = read_block(m, at, m->spare);
    }
    return (int)n;
}
