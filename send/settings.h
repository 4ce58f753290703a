/* What pneu-send asks of control/: once a second at most, and where mail goes again for each attempt after a change. */

#ifndef PNEU_SEND_SETTINGS_H
#define PNEU_SEND_SETTINGS_H

#include "control/control.h"
#include "send/send.h"

/* Rereads what is older than a second, or routes that have changed. What cannot be read stays as it was, with a line in the log. Returns 1, or 0 if
 * there never was anything to go by. */
extern int settings_fresh(struct send *);

/* Reads now. */
extern int settings_read(struct send *);

/* What counts for one remote domain. */
struct settings_dest {
    uint32_t concurrency, rcptperjob, deadtime, hold;
    uint32_t ratenumber, ratetime; /* so many in so many seconds; 0: no limit */
    struct schedule schedule;
};

extern void settings_dest(struct send const *, char const *domain, struct settings_dest *);

/* Jobs at a time to one mail host; 0: not set. */
extern uint32_t settings_site(struct send const *, char const *host);

/* How many seconds a message is tried; report: it has no sender. */
extern uint32_t settings_lifetime(struct send const *, int remote, int report);

/* 1 if mail of this sender, or of whoever had logged in so, is held. */
extern int settings_holds(struct send const *, struct bytes sender, struct bytes login);

/* The sender's own waits, where he has some: 1. */
extern int settings_retry(struct send const *, struct bytes sender, struct schedule *);

/* The rules for what a remote host answers (control/replies.h). own: memory for those of a domain. */
extern stralloc const *settings_replies(struct send const *, char const *domain, stralloc *own);

#endif
