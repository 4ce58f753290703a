/* One client on descriptors 0 and 1, from the greeting to the end; the current folder is the instance's. */

#ifndef PNEU_SMTPD_CONNECTION_H
#define PNEU_SMTPD_CONNECTION_H

#include "smtpd/handover.h"

/* What outlasts it in a listener's child, which may serve one after another. */
struct connection {
    int child;    /* this process was forked by a listener, which is in its sandbox already */
    int narrowed; /* and has put up with less */
    int starttls; /* but may still begin TLS */
    int polite;   /* the last session was (smtpd/session.h), and took nothing from this process: another may follow */
    struct handover handover;
};

#define CONNECTION_ZERO                                                                                                \
    {                                                                                                                  \
        .handover = HANDOVER_ZERO                                                                                      \
    }

/* Serves one. Returns an exit code. */
extern int connection(struct connection *);

/* Before the greeting: the client shall come again later. */
extern void connection_later(char const *reply);

#endif
