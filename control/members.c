#include "control/members.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/djbunix.h>

static int
put_line(stralloc *members, char const *line, size_t len)
{
    while (len && strchr(" \t\r", line[len - 1]))
        len--;
    if (len && *line == '&') {
        line++;
        len--;
    } else if (len && strchr("#|/.:+ \t", *line))
        return 1;
    if (!len || memchr(line, 0, len))
        return 1;
    return stralloc_catb(members, line, len) && stralloc_0(members);
}

int
members_scan(char const *path, stralloc *members)
{
    char text[MEMBERS_FILE_MAX];
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), good = 1;
    size_t n = 0;

    if (fd == -1)
        return 1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < MEMBERS_FILE_MAX)
        n = allread(fd, text, sizeof text);
    fd_close(fd);
    for (size_t at = 0; good && at < n;) {
        char const *lf = memchr(text + at, '\n', n - at);
        size_t len = lf ? (size_t)(lf - text) - at : n - at;
        good = put_line(members, text + at, len);
        at += len + 1;
    }
    return good;
}
