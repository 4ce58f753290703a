#include "send/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/musl.h"

static void
say_why(char const *to, char const *why)
{
    int fd;

    (void)unlink(to); /* the reason of a former message may be a file that it shares with others */
    fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1)
        return;
    (void)!write(fd, why, strlen(why));
    (void)!write(fd, "\n", 1);
    close(fd);
}

/* The reason comes first: nobody finds the file without it. */
int
aside(char const *path, char const *folder, char const *id, char const *why)
{
    char to[128], reason[128];
    struct log l;
    int e;

    (void)snprintf(to, sizeof to, "%s/%s", folder, id);
    (void)snprintf(reason, sizeof reason, "%s/%s.why", folder, id);
    e = access(path, F_OK) == -1 ? errno : 0;
    if (!e && access(to, F_OK) == 0)
        e = EEXIST;
    if (!e) {
        say_why(reason, why);
        e = renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) == -1 ? errno : 0;
    }
    log_start(&l, "aside");
    log_str(&l, "msg", id);
    log_str(&l, "to", folder);
    log_str(&l, "why", why);
    if (e)
        log_errno(&l, e);
    log_end(&l);
    errno = e;
    return !e ? 1 : e == ENOENT ? 0 : -1;
}
