/* Destinations, and the mail hosts (sites) that serve several of them. */

#ifndef PNEU_SEND_DEST_H
#define PNEU_SEND_DEST_H

#include "send/send.h"

/* The destination of that route and name, made if need be; its settings are at most a second old. NULL with ENOMEM. */
extern struct dest *dest_find(struct send *, int route, struct bytes name);

/* Reads its settings. */
extern void dest_limits(struct send *, struct dest *);

/* Forgets a destination that nothing leads to any more, unless what is known of it is worth remembering. */
extern void dest_idle(struct send *, struct dest *);

/* 1 if one more of its jobs may start, as far as its own numbers are concerned. */
extern int dest_may_start(struct dest const *);

/* 1 if it has to wait for its rate, or for others of its site; it will be woken then. */
extern int dest_must_wait(struct send *, struct dest *);

/* 1 if it is held, or all of its channel. */
extern int dest_held(struct dest const *);

/* A job of it begins, or has ended, at its site. */
extern void dest_enter(struct dest *);
extern void dest_leave(struct dest *);

/* Free places at a site. */
extern uint32_t dest_places(struct site const *);

/* The next that waited for a place at this site; NULL if none does. */
extern struct dest *dest_unblock(struct site *);

/* A job of it was served by the host of that name. */
extern void dest_served(struct send *, struct dest *, struct bytes host);

/* What is known of it now is worth remembering. */
extern void dest_remember(struct send const *, struct dest *);

/* What made a domain (NULL: any) dead is forgotten. */
extern void dest_revive(struct send *, char const *domain);

#endif
