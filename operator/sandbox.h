/* What the operator's programs do before they look at the queue. */

#ifndef PNEU_OPERATOR_SANDBOX_H
#define PNEU_OPERATOR_SANDBOX_H

/* Goes on as the queue's owner, pneuq, if we are root: files that are made have the right owner, and foreign bytes are not
 * root's to read. Returns 1, or 0 with errno. */
extern int sandbox_drop(void);

/* Confines what changes the queue: all below queue/, nothing else. Returns 1, or 0 with errno. */
extern int sandbox_operator(void);

#endif
