#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/buffer.h>
#include <skalibs/djbunix.h>
#include <skalibs/skamisc.h>
#include <skalibs/types.h>

#include "inject/user.h"

/* name:password:uid:... */
static int
is_his(char *line, uid_t uid)
{
    char *colon = strchr(line, ':');
    char *number = colon ? strchr(colon + 1, ':') : 0;
    char *end = number ? strchr(number + 1, ':') : 0;
    uint32_t n;

    if (!end || colon == line)
        return 0;
    *end = 0;
    *colon = 0;
    return uint320_scan(number + 1, &n) && n == uid;
}

int
user_name(char const *file, uid_t uid, stralloc *name)
{
    char room[BUFFER_INSIZE];
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    buffer b = BUFFER_INIT(&buffer_read, fd, room, sizeof room);
    int found = 0;

    if (fd == -1)
        return 0;
    do
        name->len = 0;
    while (skagetlnsep(&b, name, "\n", 1) == 1 && (name->s[name->len - 1] = 0, !(found = is_his(name->s, uid))));
    fd_close(fd);
    return found;
}
