#include "lib/ip.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <skalibs/types.h>

void
ip_from4(struct ip *ip, void const *bytes)
{
    memset(ip, 0, sizeof *ip);
    memcpy(ip->b, bytes, 4);
}

void
ip_from6(struct ip *ip, void const *bytes)
{
    static unsigned char const mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (!memcmp(bytes, mapped, 12)) {
        ip_from4(ip, (unsigned char const *)bytes + 12);
        return;
    }
    ip->is6 = 1;
    memcpy(ip->b, bytes, sizeof ip->b);
}

int
ip_scan(char const *s, size_t len, struct ip *ip)
{
    char text[IP_FMT + 1];
    unsigned char bytes[16];

    if (!len || len > IP_FMT || memchr(s, 0, len))
        return 0;
    memcpy(text, s, len);
    text[len] = 0;
    if (inet_pton(AF_INET, text, bytes) == 1)
        return ip_from4(ip, bytes), 1;
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return ip_from6(ip, bytes), 1;
    return 0;
}

int
ip_scan_port(char const *s, size_t len, struct ip *ip, uint16_t *port)
{
    char const *colon = memchr(s, ':', len);
    size_t host = colon ? (size_t)(colon - s) : len;
    char text[6] = {0};

    if (len && *s == '[') {
        char const *end = memchr(s, ']', len);
        if (!end || !ip_scan(s + 1, (size_t)(end - s) - 1, ip))
            return 0;
        host = (size_t)(end - s) + 1;
    } else if (ip_scan(s, len, ip)) /* also the IPv6 address whose colons are its own */
        return 1;
    else if (!ip_scan(s, host, ip))
        return 0;
    if (host == len)
        return 1;
    if (s[host] != ':' || len - host - 1 >= sizeof text)
        return 0;
    memcpy(text, s + host + 1, len - host - 1);
    return uint160_scan(text, port) && *port;
}

int
ip_scan_literal(char const *s, size_t len, struct ip *ip)
{
    static char const tag[] = "[IPv6:";

    if (len < 3 || *s != '[' || s[len - 1] != ']')
        return 0;
    if (len > sizeof tag && !strncasecmp(s, tag, sizeof tag - 1))
        return ip_scan(s + sizeof tag - 1, len - sizeof tag, ip);
    return ip_scan(s + 1, len - 2, ip);
}

int
ip_inside(struct ip const *ip, struct ip const *net, unsigned int bits)
{
    unsigned int rest = bits % 8;

    return ip->is6 == net->is6 && !memcmp(ip->b, net->b, bits / 8) &&
           (!rest || !((ip->b[bits / 8] ^ net->b[bits / 8]) >> (8 - rest)));
}

int
ip_scan_net(char const *s, size_t len, struct ip *net, unsigned int *bits)
{
    char const *slash = memchr(s, '/', len);
    size_t host = slash ? (size_t)(slash - s) : len;
    char text[4] = {0};
    struct ip zero = {0};
    uint16_t n;

    if (!ip_scan(s, host, net))
        return 0;
    *bits = net->is6 ? 128 : 32;
    if (!slash)
        return 1;
    /* ::ffff:192.0.2.0/120 is taken for what it means to nobody: a mask of IPv6 on an address of IPv4 */
    if (len - host - 1 >= sizeof text || (!net->is6 && memchr(s, ':', host)))
        return 0;
    memcpy(text, slash + 1, len - host - 1);
    if (!uint160_scan(text, &n) || n > *bits)
        return 0;
    *bits = n;
    zero.is6 = net->is6;
    for (unsigned int i = 0; i < sizeof zero.b; i++)
        zero.b[i] = (unsigned char)(i < n / 8u ? net->b[i] : i == n / 8u ? net->b[i] & ~(0xff >> n % 8) : 0);
    return ip_same(net, &zero);
}

int
ip_inlist(struct ip const *ip, char const *items, size_t len)
{
    struct ip net;
    unsigned int bits;

    for (size_t at = 0; at < len;) {
        size_t n = strnlen(items + at, len - at);
        if (ip_scan_net(items + at, n, &net, &bits) && ip_inside(ip, &net, bits))
            return 1;
        at += n + 1;
    }
    return 0;
}

size_t
ip_fmt(char s[static IP_FMT], struct ip const *ip)
{
    char text[IP_FMT + 1];

    inet_ntop(ip->is6 ? AF_INET6 : AF_INET, ip->b, text, sizeof text);
    size_t len = strnlen(text, IP_FMT);
    memcpy(s, text, len);
    return len;
}

int
ip_same(struct ip const *a, struct ip const *b)
{
    return a->is6 == b->is6 && !memcmp(a->b, b->b, a->is6 ? 16 : 4);
}

socklen_t
ip_sockaddr(struct ip const *ip, uint16_t port, struct sockaddr_storage *to)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(to, 0, sizeof *to);
    if (ip->is6) {
        memcpy(&in6.sin6_addr, ip->b, 16);
        memcpy(to, &in6, sizeof in6);
        return sizeof in6;
    }
    memcpy(&in.sin_addr, ip->b, 4);
    memcpy(to, &in, sizeof in);
    return sizeof in;
}

int
ip_from_sockaddr(struct ip *ip, uint16_t *port, struct sockaddr_storage const *from)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (from->ss_family == AF_INET) {
        memcpy(&in, from, sizeof in);
        ip_from4(ip, &in.sin_addr);
        *port = ntohs(in.sin_port);
        return 1;
    }
    if (from->ss_family != AF_INET6)
        return 0;
    memcpy(&in6, from, sizeof in6);
    ip_from6(ip, &in6.sin6_addr);
    *port = ntohs(in6.sin6_port);
    return 1;
}

int
ip_isloopback(struct ip const *ip)
{
    static unsigned char const zero[15];

    if (!ip->is6)
        return ip->b[0] == 127 || ip->b[0] == 0;
    return !memcmp(ip->b, zero, 15) && ip->b[15] <= 1;
}

int
ip_own(stralloc *list)
{
    struct ifaddrs *all;
    int good = 1;

    if (getifaddrs(&all) == -1)
        return 0;
    for (struct ifaddrs const *i = all; i && good; i = i->ifa_next) {
        struct ip ip;
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
            ip_from4(&ip, &((struct sockaddr_in const *)(void const *)i->ifa_addr)->sin_addr);
        else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
            ip_from6(&ip, &((struct sockaddr_in6 const *)(void const *)i->ifa_addr)->sin6_addr);
        else
            continue;
        good = stralloc_catb(list, (char const *)&ip, sizeof ip);
    }
    freeifaddrs(all);
    return good;
}

int
ip_isin(stralloc const *list, struct ip const *ip)
{
    for (size_t at = 0; at + sizeof *ip <= list->len; at += sizeof *ip) {
        struct ip one;
        memcpy(&one, list->s + at, sizeof one);
        if (ip_same(&one, ip))
            return 1;
    }
    return 0;
}
