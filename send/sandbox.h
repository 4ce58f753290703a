/* The sandboxes of pneu-send and of its helpers. */

#ifndef PNEU_SEND_SANDBOX_H
#define PNEU_SEND_SANDBOX_H

/* The scheduler: reads settings, changes the queue, connects to Unix sockets, starts that one program. Returns 1, or 0 with errno. */
extern int sandbox_send(char const *bounce);

/* A helper: syncs descriptors it is given. */
extern int sandbox_helper(void);

#endif
