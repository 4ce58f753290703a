#include "bounce/badmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

#include "lib/durable.h"
#include "lib/musl.h"
#include "queue/id.h"
#include "queue/layout.h"

static int
copy(int from, int to)
{
    char block[16384];
    off_t at = 0;

    for (;;) {
        ssize_t n = pread(from, block, sizeof block, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (allwrite(to, block, (size_t)n) != (size_t)n)
            return 0;
        at += n;
    }
}

/* ".ID" is written, synced, and only then gets its name. */
static int
copy_durably(int fd, char const *path)
{
    char temporary[] = BADMAIL "/."
                               "0123456789012345678901234567";
    int to, good;

    memcpy(temporary + sizeof BADMAIL "/." - 1, path + sizeof BADMAIL, ID_LEN);
    to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to == -1)
        return 0;
    good = copy(fd, to) && fsync(to) == 0;
    if (good && renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == -1)
        good = errno == EEXIST; /* an earlier try came so far */
    int e = errno;
    close(to);
    (void)unlink(temporary);
    return (errno = e, good);
}

int
badmail_put(int fd, char const *id, char const *why)
{
    char path[sizeof BADMAIL + ID_LEN + 1], reason[sizeof path + 4];
    char text[700];
    int len = snprintf(text, sizeof text, "%s\n", why);

    (void)snprintf(path, sizeof path, BADMAIL "/%s", id);
    (void)snprintf(reason, sizeof reason, "%s.why", path);
    if (len >= (int)sizeof text)
        len = (int)sizeof text - 1;
    return durable_write(reason, text, (size_t)len, 0600, 0) && copy_durably(fd, path) && durable_sync(BADMAIL);
}
