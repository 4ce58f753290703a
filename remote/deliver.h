/* Deliveries, one after another: over the connection that is open, or over a new one to the next best host. */

#ifndef PNEU_REMOTE_DELIVER_H
#define PNEU_REMOTE_DELIVER_H

#include <stdint.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "control/control.h"
#include "lib/dns.h"
#include "remote/delivery.h"
#include "remote/peer.h"

#define DELIVER_DEAD 16 /* hosts remembered as dead */
#define DELIVER_DEAD_SECONDS 30
#define DELIVER_BROKEN 4 /* connections that may break off in one delivery */

/* What control/ says for one domain. */
struct deliver_settings {
    stralloc me, helohost, smtproutes, fallback;
    uint32_t mailperconn;
    uint32_t timeoutconnect, timeoutremote, timeoutidle, timeoutdns, remoteloopback;
};

#define DELIVER_SETTINGS_ZERO                                                                                          \
    {                                                                                                                  \
        STRALLOC_ZERO, STRALLOC_ZERO, STRALLOC_ZERO, STRALLOC_ZERO, 0, 0, 0, 0, 0, 0                                   \
    }

/* Reads them; domain is NULL if no domain has its own. Returns 1, or 0 with errno and *which: the one that cannot be read; helohost without control/me
 * is ENOENT. */
extern int deliver_settings_read(struct deliver_settings *, char const *domain, enum setting *which);

struct deliver {
    struct dns dns;
    stralloc own; /* addresses of this host */
    struct deliver_settings settings;
    struct peer peer;
    stralloc key;        /* who may use the open connection */
    char site[DNS_NAME]; /* whom the last domain was served by */
    tain idle;           /* until when it is kept */
    struct {
        struct ip ip;
        uint16_t port;
        tain until;
    } dead[DELIVER_DEAD];
    unsigned int ndead; /* the next place to write */
};

#define DELIVER_ZERO                                                                                                   \
    {                                                                                                                  \
        .settings = DELIVER_SETTINGS_ZERO, .peer = PEER_ZERO, .key = STRALLOC_ZERO                                     \
    }

/* Reads the resolvers: control/nameserver, else /etc/resolv.conf; and asks for this host's addresses. Before the process confines itself.
 * Returns 1, or 0 with errno. */
extern int deliver_init(struct deliver *);

/* Called whenever recipients have been settled for good, so that nobody waits for the others to know it. */
typedef void deliver_report(void *, struct delivery *);

/* Delivers to all recipients, which are at `domain` as far as routing is concerned; all of them are settled then. Jobs of
 * one `key` share a connection. */
extern void deliver(struct deliver *, struct delivery *, struct bytes domain, struct bytes key, deliver_report *,
                    void *);

/* Takes leave of the open connection, if there is one. */
extern void deliver_quit(struct deliver *);

#endif
