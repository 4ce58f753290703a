/* Transactions: MAIL, RCPT, DATA and the message, over an open connection. */

#ifndef PNEU_REMOTE_TRANSACT_H
#define PNEU_REMOTE_TRANSACT_H

#include <stdint.h>

#include "remote/delivery.h"
#include "remote/peer.h"

/* Reads one reply within `seconds`. Returns its code, or 0 if the connection is of no more use (lost, late, not
 * SMTP, or 421): *why says it. */
extern unsigned int transact_reply(struct peer *, uint32_t seconds, char const *when, struct verdict *why);

/* One transaction, for as many waiting recipients as go into one: those of one sender, those the server takes.
 * What is settled by then is settled; those still waiting may be tried in the next transaction, or over another connection,
 * because until the final dot nobody has the message.
 * Returns 1 if the connection can be used again; 0 if it was closed, *why says for what. */
extern int transact(struct peer *, struct delivery *, uint32_t seconds, struct verdict *why);

#endif
