#include "lib/ucspi.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* The variable's name. Returns 1, or 0 if it is too long for any that we know. */
static int
variable(char to[static NAME_MAX_BYTES], char const *proto, char const *name)
{
    if (strlen(proto) + strlen(name) >= NAME_MAX_BYTES)
        return 0;
    (void)stpcpy(stpcpy(to, proto), name);
    return 1;
}

static char const *
value_of(char const *proto, char const *name)
{
    char to[NAME_MAX_BYTES];
    char const *value = variable(to, proto, name) ? getenv(to) : NULL;

    return value && *value ? value : NULL;
}

char const *
ucspi_get(char const *name)
{
    char const *proto = getenv("PROTO");
    char const *value = proto ? value_of(proto, name) : NULL;

    /* tcpserver sets both, s6-tcpserver the plain ones only */
    return value || !proto || strcmp(proto, "TCP6") != 0 ? value : value_of("TCP", name);
}

static int
set(char const *proto, char const *name, char const *value)
{
    char to[NAME_MAX_BYTES];

    if (!variable(to, proto, name))
        return (errno = EINVAL, 0);
    return (value ? setenv(to, value, 1) : unsetenv(to)) == 0;
}

int
ucspi_set(char const *name, char const *value)
{
    char const *proto = getenv("PROTO");

    if (!proto || !*proto)
        return (errno = EINVAL, 0);
    return set(proto, name, value) && (strcmp(proto, "TCP6") != 0 || set("TCP", name, value));
}

int
ucspi_remote(struct ip *ip)
{
    char const *text = ucspi_get("REMOTEIP");
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof name;

    if (text && ip_scan(text, strlen(text), ip))
        return 1;
    if (getenv("PNEU_XCLIENT")) /* the socket leads to who spoke for the client */
        return 0;
    if (getpeername(0, &name.any, &len) == -1)
        return 0;
    if (name.any.sa_family == AF_INET)
        ip_from4(ip, &name.four.sin_addr);
    else if (name.any.sa_family == AF_INET6)
        ip_from6(ip, &name.six.sin6_addr);
    else
        return 0;
    return 1;
}
