/* Any bytes as the parts of a queue file, with checksums that are right: it is read as pneu-send reads it, and if all its
 * recipients failed, reported. The first two bytes say where message and envelope end; four of status; the rest is the log. */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bounce/report.h"
#include "lib/crc.h"
#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

static size_t written;

static int
count(void *data, char const *s, size_t len)
{
    (void)data;
    for (size_t i = 0; i < len; i++)
        if (!s[i])
            written++;
    return 1;
}

static void
report(int fd, enum report_of of)
{
    struct report r = {.of = of, .notice = 1};
    struct report_names n = {
        .now = 1, .maxbytes = 200, .me = STRALLOC_ZERO, .from = STRALLOC_ZERO, .to = STRALLOC_ZERO};
    stralloc token = STRALLOC_ZERO;
    char const *why;

    stralloc_copys(&n.me, "me");
    stralloc_copys(&n.from, "a@b");
    stralloc_copys(&n.to, "c@d");
    r.fd = fd;
    r.id = "0123456789abcdef0123456789ab";
    if (report_read(&r, 1, &why) == 1 && report_survey(&r, &n) &&
        (!report_write(&r, &n, count, 0) || !report_token(&r, &token)))
        abort();
    stralloc_free(&token);
    stralloc_free(&n.me);
    stralloc_free(&n.from);
    stralloc_free(&n.to);
    report_free(&r);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct file_header h = {.recipients = 0};
    char const *s = (char const *)data + 2;
    char header[FILE_HEADER];
    uint32_t recipients = 0;
    size_t at;
    int fd;

    if (size < 2)
        return 0;
    size -= 2;
    h.message = data[0] < size ? data[0] : size;
    h.envelope = (uint32_t)(data[1] < size - h.message ? data[1] : size - h.message);
    at = h.message + h.envelope;
    (void)envelope_check((struct bytes){s + h.message, h.envelope}, &recipients);
    h.recipients = recipients < size - at ? recipients : (uint32_t)(size - at);
    h.message_crc = crc32c(0, s, h.message);
    h.envelope_crc = crc32c(0, s + h.message, h.envelope);
    file_header_fmt(header, &h);
    fd = memfd_create("file", 0);
    if (write(fd, header, sizeof header) == -1 || write(fd, s, size) == -1)
        abort();
    for (enum report_of of = OF_FAILURE; of <= OF_DELAY; of++)
        report(fd, of);
    close(fd);
    return 0;
}
