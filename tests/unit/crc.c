/* lib/crc: the vectors of RFC 3720 appendix B.4, and that pieces make the
 * whole. */

#include <stdint.h>
#include <string.h>

#include "lib/crc.h"
#include "tests/tap.h"

int
main(void)
{
    unsigned char block[32];

    memset(block, 0, 32);
    ok(crc32c(0, block, 32) == 0x8a9136aa, "32 zeros");
    memset(block, 0xff, 32);
    ok(crc32c(0, block, 32) == 0x62a8ab43, "32 ones");
    for (int i = 0; i < 32; i++)
        block[i] = (unsigned char)i;
    ok(crc32c(0, block, 32) == 0x46dd794e, "32 ascending");
    ok(crc32c(0, "123456789", 9) == 0xe3069283, "the check value");
    for (size_t cut = 0; cut <= 32; cut++)
        if (crc32c(crc32c(0, block, cut), block + cut, 32 - cut) != 0x46dd794e)
            return ok(0, "cut at %zu", cut), tap_done();
    ok(1, "cut anywhere");
    ok(crc32c(0, "", 0) == 0, "nothing");
    return tap_done();
}
