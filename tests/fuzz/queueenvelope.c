/* Any bytes as qmail-queue's envelope and the records beside it: what passes must be an envelope, with as many recipients. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "queue/envelope.h"
#include "queue/filterd.h"
#include "queue/inqueue.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

/* Two fields, cut at the first "\0\0\0". */
int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static stralloc addresses, closing, opening, again;
    static int fd = -1;
    char const *cut = size ? memmem(data, size, "\0\0\0", 3) : 0;
    size_t len = cut ? (size_t)(cut - (char const *)data) + 2 : size;
    struct bytes extra = {(char const *)data + len, size - len};
    struct bytes whole;
    uint32_t recipients = 0, n = 0;

    if (extra.len) {
        extra.s++;
        extra.len--;
    }
    if (fd == -1)
        fd = memfd_create("envelope", MFD_CLOEXEC);
    if (ftruncate(fd, 0) == -1 || pwrite(fd, data, len, 0) != (ssize_t)len || lseek(fd, 0, SEEK_SET) == -1)
        abort();
    addresses.len = closing.len = opening.len = again.len = 0;
    if (inqueue_addresses(fd, &addresses) != QUEUE_OK)
        return 0;
    for (size_t i = 0; i < addresses.len; i++)
        n += !addresses.s[i];
    if (!inqueue_opening(&opening, extra, -1) ||
        !inqueue_closing(&closing, (struct bytes){addresses.s, addresses.len}, extra))
        return 0;
    whole.s = closing.s;
    whole.len = closing.len;
    if (!envelope_check(whole, &recipients)) { /* the records behind an address may hold a from= of their own */
        if (!extra.len)
            abort();
        return 0;
    }
    if (recipients != n - 1 || !filterd_envelope(&again, whole))
        abort();
    if (again.len > len || memcmp(again.s, data, again.len))
        abort();
    return 0;
}
