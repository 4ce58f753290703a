/* Any bytes as the header of a proxy: what is read is a header, and not a byte beyond it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access/proxy.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

struct bytes_left {
    unsigned char const *s;
    size_t len;
    size_t step;
};

static ptrdiff_t
get(void *data, unsigned char *to, size_t len)
{
    struct bytes_left *left = data;

    if (len > left->len)
        len = left->len;
    if (left->step && len > left->step)
        len = left->step;
    memcpy(to, left->s, len);
    left->s += len;
    left->len -= len;
    return (ptrdiff_t)len;
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct bytes_left whole = {data, size, 0}, slow = {data, size, 1};
    struct proxy a, b;
    int got = proxy_read(&a, get, &whole);

    if (got != proxy_read(&b, get, &slow) || memcmp(&a, &b, sizeof a) != 0 || whole.len != slow.len)
        abort();
    if (!got)
        return 0;
    size_t used = size - whole.len;
    if (a.from.is6 > 1 || a.to.is6 > 1 || a.who > PROXY_UNKNOWN)
        abort();
    if (*data == 'P' ? used > PROXY_LINE || data[used - 1] != '\n' || data[used - 2] != '\r'
                     : used != (size_t)PROXY_HEAD + (data[14] << 8 | data[15]))
        abort();
    return 0;
}
