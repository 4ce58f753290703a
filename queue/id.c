#include "queue/id.h"

#include <string.h>
#include <time.h>

#include <skalibs/sha256.h>
#include <skalibs/types.h>

#include <sys/random.h>

static void
hex(char *to, uint64_t value, unsigned int digits)
{
    while (digits--) {
        to[digits] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

int
id_new(char id[static ID_SIZE])
{
    struct timespec now;
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != sizeof random || clock_gettime(CLOCK_REALTIME, &now) == -1)
        return 0;
    hex(id, (uint64_t)now.tv_sec * 1000000 + (uint64_t)(now.tv_nsec / 1000), 14);
    hex(id + 14, random, 14);
    id[ID_LEN] = 0;
    return 1;
}

void
id_token(char id[static ID_SIZE], uint32_t uid, char const *token, size_t len)
{
    SHA256Schedule hash = SHA256_INIT();
    char digits[UINT32_FMT];
    char digest[32];

    sha256_update(&hash, digits, uint32_fmt(digits, uid));
    sha256_update(&hash, " ", 1);
    sha256_update(&hash, token, len);
    sha256_final(&hash, digest);
    for (unsigned int i = 0; i < ID_LEN / 2; i++)
        hex(id + 2 * i, (unsigned char)digest[i], 2);
    id[0] = 't';
    id[ID_LEN] = 0;
}

int
id_valid(char const *s, size_t len)
{
    if (len != ID_LEN)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') || (!i && s[i] == 't')))
            return 0;
    return 1;
}
