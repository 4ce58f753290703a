/* Any bytes as a queue file: pneu-list prints whole lines of printable characters, or says that it is damaged. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc.h"
#include "queue/file.h"
#include "queue/list.h"

#define ID "0660d03fe51eb523cbb714f0508d"

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

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static char home[] = "/dev/shm/pneu-fuzz.XXXXXX";
    static int folder = -1;
    static stralloc out;
    struct list l = {.prove = 1, .now = 1800000000};

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
    if (!list_file(&l, &out, home, data[0] & 2 ? "wait" : "bad", ID) || l.messages != 1 || !out.len ||
        out.s[out.len - 1] != '\n')
        abort();
    for (size_t i = 0; i < out.len; i++)
        if (out.s[i] != '\n' && ((unsigned char)out.s[i] < 0x20 || (unsigned char)out.s[i] > 0x7e))
            abort();
    return 0;
}
