/* Who is at the other end. */

#ifndef PNEU_SMTPD_PEER_H
#define PNEU_SMTPD_PEER_H

#include "lib/ip.h"

#define PEER_IP_SIZE (IP_FMT + 1)

/* TLS that was begun before this program, as a TLS program tells it in the environment (s6-tlsd's names). */
struct peer_tls {
    char const *protocol;   /* SSL_PROTOCOL: "TLSv1.2"; NULL: there is none */
    char const *cipher;     /* SSL_CIPHER, or NULL */
    char const *servername; /* SSL_TLS_SNI_SERVERNAME, or NULL */
};

struct peer {
    struct peer_tls tls;
    char ip[PEER_IP_SIZE]; /* "192.0.2.1", "2001:db8::1"; "" unknown */
    char const *host;      /* its name by the tcp server's look-up; NULL unknown */
    char const *rdns;      /* PNEU_RDNS, what pneu-access found out of its name; NULL: it did not look */
    int spoken_for;        /* XCLIENT said all this */
    char const *login;     /* and this, PNEU_LOGIN; or NULL */
};

/* From ${PROTO}REMOTEIP and ${PROTO}REMOTEHOST (UCSPI; PROTO=TCP6 is taken like TCP), else from the socket on
 * descriptor 0. An IPv4 address mapped into IPv6 is told as the IPv4 address it is. */
extern void peer_find(struct peer *);

#endif
