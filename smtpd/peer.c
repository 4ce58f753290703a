#include "smtpd/peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/addr.h"

static void
from_six(struct peer *p, struct in6_addr const *six)
{
    if (IN6_IS_ADDR_V4MAPPED(six))
        inet_ntop(AF_INET, six->s6_addr + 12, p->ip, sizeof p->ip);
    else
        inet_ntop(AF_INET6, six, p->ip, sizeof p->ip);
}

int
peer_ip(struct peer *p, char const *text)
{
    struct in6_addr six;
    struct in_addr four;

    p->ip[0] = 0;
    if (inet_pton(AF_INET, text, &four) == 1)
        inet_ntop(AF_INET, &four, p->ip, sizeof p->ip);
    else if (inet_pton(AF_INET6, text, &six) == 1)
        from_six(p, &six);
    return p->ip[0] != 0;
}

/* $PROTO and the name behind it, as UCSPI has it; NULL if there is none. */
static char const *
ucspi(char const *proto, char const *name)
{
    char variable[64];
    size_t len = strlen(proto), more = strlen(name);

    if (len + more >= sizeof variable)
        return NULL;
    memcpy(variable, proto, len);
    memcpy(variable + len, name, more);
    variable[len + more] = 0;
    char const *value = getenv(variable);
    return value && *value ? value : NULL;
}

static void
from_socket(struct peer *p)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof name;

    if (getpeername(0, &name.any, &len) == -1)
        return;
    if (name.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &name.four.sin_addr, p->ip, sizeof p->ip);
    else if (name.any.sa_family == AF_INET6)
        from_six(p, &name.six.sin6_addr);
}

static char const *
variable_of(char const *name)
{
    char const *value = getenv(name);

    return value && *value ? value : NULL;
}

static void
from_tls(struct peer_tls *tls)
{
    tls->protocol = variable_of("SSL_PROTOCOL");
    tls->cipher = variable_of("SSL_CIPHER");
    tls->servername = variable_of("SSL_TLS_SNI_SERVERNAME");
}

void
peer_find(struct peer *p)
{
    char const *proto = getenv("PROTO");
    char const *ip = NULL;

    *p = (struct peer){.host = NULL};
    from_tls(&p->tls);
    p->rdns = variable_of("PNEU_RDNS");
    p->spoken_for = variable_of("PNEU_XCLIENT") != NULL;
    p->login = p->spoken_for ? variable_of("PNEU_LOGIN") : NULL;
    if (proto) {
        ip = ucspi(proto, "REMOTEIP");
        p->host = ucspi(proto, "REMOTEHOST");
        if (!strcmp(proto, "TCP6")) { /* tcpserver has both, s6-tcpserver the plain ones only */
            ip = ip ? ip : getenv("TCPREMOTEIP");
            p->host = p->host ? p->host : getenv("TCPREMOTEHOST");
        }
    }
    if (p->host && !addr_domain(p->host, strlen(p->host), 0))
        p->host = NULL;
    if ((!ip || !peer_ip(p, ip)) && !p->spoken_for)
        from_socket(p);
}
