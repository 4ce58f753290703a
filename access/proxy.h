/* The header that a proxy sends ahead of its client's bytes: PROXY protocol, version 1 (a line) and 2 (binary), as
 * HAProxy's proxy-protocol.txt of 2.x says. */

#ifndef PNEU_ACCESS_PROXY_H
#define PNEU_ACCESS_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/tai.h>

#include "lib/ip.h"

#define PROXY_FIRST 12   /* no header is shorter than 15 bytes, and so many tell the version */
#define PROXY_LINE 107   /* bytes of the longest line of version 1, with its CR LF */
#define PROXY_HEAD 16    /* bytes of version 2 before the addresses */
#define PROXY_ADDRESS 36 /* bytes of addresses that count */

enum proxy_who {
    PROXY_CLIENT,  /* `from` is connected with `to` */
    PROXY_ITSELF,  /* the proxy speaks for itself: a test whether we are alive */
    PROXY_UNKNOWN, /* for a client it cannot name */
};

struct proxy {
    enum proxy_who who;
    struct ip from, to; /* of the same family */
    uint16_t from_port, to_port;
};

/* A line of version 1 with its CR LF, the whole of it. Returns 1, or 0 if it is none. */
extern int proxy_line(struct proxy *, char const *s, size_t len);

/* The first PROXY_HEAD bytes of version 2. Returns how many follow, -1 if it is none. */
extern int proxy_head(unsigned char const head[static PROXY_HEAD]);

/* What follows; of more than PROXY_ADDRESS bytes these alone are wanted. Returns 1, or 0 if they are malformed. */
extern int proxy_addresses(struct proxy *, unsigned char const head[static PROXY_HEAD], unsigned char const *s,
                           size_t len);

/* Reads the header and not a byte beyond it. The bytes come from `get`, which reads up to len and returns how many,
 * or 0 or -1 with errno. Returns 1; 0 with errno: EPROTO if it is none, EPIPE at the end of file, or that of `get`. */
extern int proxy_read(struct proxy *, ptrdiff_t (*get)(void *data, unsigned char *s, size_t len), void *data);

#endif
