/* Addresses of hosts. An IPv4 address in IPv6 clothes (::ffff:192.0.2.1) is an IPv4 address here, so that no
 * check on 127.0.0.1 can be passed by writing it differently. */

#ifndef PNEU_LIB_IP_H
#define PNEU_LIB_IP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <skalibs/stralloc.h>

struct ip {
    unsigned char is6;
    unsigned char b[16]; /* 4 or 16 of them */
};

#define IP_FMT 46 /* bytes of the longest text, without a NUL */

/* Reads an address, the whole text: "192.0.2.1", "2001:db8::1". No zone. Returns 1 or 0. */
extern int ip_scan(char const *s, size_t len, struct ip *);

/* The same with a port behind it: "192.0.2.1:25", "[2001:db8::1]:25", or without: then *port is left alone. */
extern int ip_scan_port(char const *s, size_t len, struct ip *, uint16_t *port);

/* An address literal of SMTP: "[192.0.2.1]", "[IPv6:2001:db8::1]", and "[2001:db8::1]" too. */
extern int ip_scan_literal(char const *s, size_t len, struct ip *);

/* Writes the text, no NUL. Returns its length. */
extern size_t ip_fmt(char s[static IP_FMT], struct ip const *);

extern void ip_from4(struct ip *, void const *bytes);
extern void ip_from6(struct ip *, void const *bytes);
extern int ip_same(struct ip const *, struct ip const *);

/* Makes a socket address. Returns its length. */
extern socklen_t ip_sockaddr(struct ip const *, uint16_t port, struct sockaddr_storage *);

/* Reads one that accept or getpeername made. Returns 1; 0: it is of another family. */
extern int ip_from_sockaddr(struct ip *, uint16_t *port, struct sockaddr_storage const *);

/* 1 if it leads back to this host wherever it is asked: 127.0.0.0/8, 0.0.0.0/8, ::1, ::. */
extern int ip_isloopback(struct ip const *);

/* Reads an address or a network, "192.0.2.0/24", the whole text; bits beyond the mask must be 0. Returns 1 or 0. */
extern int ip_scan_net(char const *s, size_t len, struct ip *net, unsigned int *bits);

/* 1 if the address is in that network. */
extern int ip_inside(struct ip const *, struct ip const *net, unsigned int bits);

/* 1 if one of NUL-terminated items, each an address or a network, holds it. What is none holds nothing. */
extern int ip_inlist(struct ip const *, char const *items, size_t len);

/* Appends the addresses of this host's interfaces to a list of struct ip. Asks the kernel, so it comes before a
 * process confines itself. Returns 1, or 0 with errno. */
extern int ip_own(stralloc *list);

/* 1 if the list holds it. */
extern int ip_isin(stralloc const *list, struct ip const *);

#endif
