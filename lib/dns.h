/* A stub resolver: questions to the resolvers of this host (or any server and port), several at once, by UDP with
 * EDNS, by TCP where the answer is cut. It believes an answer only if it comes to the connected socket of its
 * question, with its random id and its question in it. libresolv builds and parses the packets.
 *
 * Everything an answer holds is a stranger's: names are compared with the rules for host names, chains, lists
 * and lengths are bounded. */

#ifndef PNEU_LIB_DNS_H
#define PNEU_LIB_DNS_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/ip.h"

#define DNS_NAME 256     /* bytes of a name with its NUL, no dot at the end */
#define DNS_SERVERS 8    /* that are asked */
#define DNS_QUESTIONS 64 /* at once */
#define DNS_MX 16        /* of a domain; those of the lowest preference */
#define DNS_ADDRESSES 16 /* of a name */
#define DNS_CNAMES 8     /* one after another */

enum {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_AAAA = 28,
};

struct dns {
    struct {
        struct ip ip;
        uint16_t port;
    } servers[DNS_SERVERS];
    unsigned int count;
    unsigned int first; /* the one that answered last is asked first */
};

/* Adds a server: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:5353". Returns 1; 0 with errno: EPROTO, or
 * ENOBUFS (there are DNS_SERVERS already). */
extern int dns_server(struct dns *, char const *text, size_t len);

/* Adds those of a resolv.conf(5), or 127.0.0.1 if it names none or is not there. Returns 1, or 0 with errno. */
extern int dns_resolvconf(struct dns *, char const *path);

enum dns_status {
    DNS_FOUND,    /* there are records of this type */
    DNS_NODATA,   /* the name exists, such records do not */
    DNS_NXDOMAIN, /* there is no such name, or it is no host name */
    DNS_FAILED,   /* nobody knows now: time-out, SERVFAIL, damaged answers */
    /* What dns_judge also says: */
    DNS_FOREIGN, /* no answer to this question */
    DNS_CUT,     /* to be asked again by TCP */
    DNS_REFUSED  /* this server does not understand EDNS */
};

struct dns_question {
    char const *name; /* NUL-terminated host name, upper or lower case */
    uint16_t type;
    enum dns_status status;
    stralloc answer; /* the packet, if DNS_FOUND */
    /* the resolver's own */
    unsigned char id[2];
    unsigned char noedns, failures, pending;
};

#define DNS_QUESTION(n, t)                                                                                             \
    {                                                                                                                  \
        .name = (n), .type = (t), .status = DNS_FAILED, .answer = STRALLOC_ZERO                                        \
    }

/* Asks them all, at most DNS_QUESTIONS, and waits for the last answer, or the deadline. Every status is set.
 * The stopwatch of tain_now must be set. Returns 1, or 0 with errno if the questions could not even be asked
 * (ENOMEM, EMFILE, no random numbers): all are DNS_FAILED then. */
extern int dns_ask(struct dns *, struct dns_question *, unsigned int n, tain const *deadline);

/* Frees the answers. */
extern void dns_free(struct dns_question *, unsigned int n);

/* Builds the packet of a question; the caller chose the id. Returns its length, 0 if the name is no host name. */
#define DNS_PACKET 512
extern size_t dns_packet(struct dns_question const *, unsigned char to[static DNS_PACKET]);

/* What a packet says to a question. Every byte of it that later counts was looked at. */
extern enum dns_status dns_judge(struct dns_question const *, unsigned char const *packet, size_t len);

/* The addresses in an answer to A or AAAA, in its order, at most `max` are written. Returns how many. */
extern unsigned int dns_addresses(struct dns_question const *, struct ip *to, unsigned int max);

struct dns_mx {
    uint16_t preference;
    char name[DNS_NAME]; /* lower case; empty: the null MX of RFC 7505, or a name that is no host name */
    int null;            /* the root */
};

/* "1.2.0.192.in-addr.arpa": where the names of an address are asked for. */
#define DNS_REVERSE 73 /* bytes with the NUL */
extern void dns_reverse(char to[static DNS_REVERSE], struct ip const *);

/* The host names in an answer to PTR, in lower case and its order; what is none is passed over. At most `max` are
 * written. Returns how many. */
extern unsigned int dns_names(struct dns_question const *, char (*to)[DNS_NAME], unsigned int max);

/* The MX records of an answer, sorted by preference, at most `max` are written. Returns how many. */
extern unsigned int dns_mx(struct dns_question const *, struct dns_mx *to, unsigned int max);

#endif
