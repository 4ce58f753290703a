#include "smtpd/bind.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <skalibs/types.h>

#include "lib/ip.h"

static int
is_bound(int fd, struct ip const *ip, uint16_t port, int backlog)
{
    struct sockaddr_storage name;
    int one = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
           (!ip->is6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
           bind(fd, (struct sockaddr *)&name, ip_sockaddr(ip, port, &name)) == 0 && listen(fd, backlog) == 0;
}

int
bind_listen(char const *address, char const *port, int backlog)
{
    uint16_t number;
    struct ip ip;
    int fd;

    if (!ip_scan(address, strlen(address), &ip) || !ushort0_scan(port, &number))
        return 0;
    fd = socket(ip.is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (is_bound(fd, &ip, number, backlog) && dup2(fd, 0) != -1) {
        if (fd)
            close(fd);
        return 1;
    }
    int e = errno;
    close(fd);
    return (errno = e, -1);
}
