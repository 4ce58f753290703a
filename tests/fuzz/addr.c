/* Any bytes as a path. What is accepted must be sayable, and read back as the
 * same address. */

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    static stralloc address, wire, again;

    if (!size)
        return 0;
    unsigned int how = data[0];
    struct bytes in = {(char const *)data + 1, size - 1};
    if (!addr_path(&in, how, &address) || !address.len)
        return 0;
    wire.len = 0;
    if (!addr_quote(&wire, address.s, address.len))
        abort();
    struct bytes back = {wire.s, wire.len};
    if (!addr_path(&back, ADDR_BARE | ADDR_LOCAL | ADDR_UTF8, &again) || back.len || again.len != address.len ||
        memcmp(again.s, address.s, address.len))
        abort();
    return 0;
}
