/* Any bytes as a queue file: pneu-list and pneu-show print whole lines of printable characters, or say that it is damaged, whatever
 * the file says; so they do in JSON. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc.h"
#include "lib/utf8.h"
#include "queue/file.h"
#include "queue/list.h"
#include "queue/show.h"

#define ID "0660d03fe51eb523cbb714f0508d"
#define NOW 1800000000

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

/* The first bytes choose: the file as it is, or with a right header before it. */
static void
make(int fd, unsigned char const *data, size_t size)
{
    char header[FILE_HEADER];
    struct file_header h = {.message = data[1], .envelope = data[2], .recipients = data[3] & 7};
    size_t rest = size - 4;

    if (h.message + h.envelope <= rest) {
        h.message_crc = crc32c(0, data + 4, h.message);
        h.envelope_crc = crc32c(0, data + 4 + h.message, h.envelope);
    }
    file_header_fmt(header, &h);
    if (data[0] & 1 && write(fd, header, sizeof header) != sizeof header)
        abort();
    if (write(fd, data + 4, rest) != (ssize_t)rest)
        abort();
}

static void
must(int good)
{
    if (!good)
        abort();
}

static void
check(stralloc *out)
{
    if (!out->len || out->s[out->len - 1] != '\n')
        abort();
    for (size_t i = 0; i < out->len;) {
        uint32_t c;
        size_t n = utf8_next(out->s + i, out->len - i, &c);
        if (!n || (c != '\n' && !utf8_plain(c)))
            abort();
        i += n;
    }
    out->len = 0;
}

static void
print(stralloc *out, struct item const *i)
{
    static struct list_summary summary;
    off_t at;

    must(list_line(out, i, NOW) && list_recipients(out, i));
    check(out);
    must(list_json(out, i, NOW, 1));
    check(out);
    must(list_count(&summary, i, NOW));
    if (i->why)
        return;
    must(show_head(out, i, NOW) && show_envelope(out, i) && show_history(out, i));
    check(out);
    must(show_bodystart(i, &at) && at <= file_envelope(&i->file.header));
    must(list_summary(out, &summary, NOW, 0) && list_summary(out, &summary, NOW, 1));
    if (summary.domains)
        check(out);
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static char home[] = "/dev/shm/pneu-fuzz.XXXXXX";
    static int folder = -1;
    static stralloc out;
    static struct item item = ITEM_ZERO;

    if (size < 4)
        return 0;
    if (folder == -1) {
        if (!mkdtemp(home))
            abort();
        folder = open(home, O_RDONLY | O_CLOEXEC);
    }
    int fd = openat(folder, ID, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    make(fd, data, size);
    close(fd);
    out.len = 0;
    must(item_open(&item, home, data[0] & 2 ? ITEM_WAIT : ITEM_BAD, ID, 1) == 1);
    print(&out, &item);
    item_close(&item);
    return 0;
}
