/* One client on descriptors 0 and 1, from the greeting to the end; the current folder is the instance's. */

#ifndef PNEU_SMTPD_CONNECTION_H
#define PNEU_SMTPD_CONNECTION_H

/* Serves it. `confined`: this process was forked by a listener, which is in its sandbox already. Returns an exit code. */
extern int connection(int confined);

/* Before the greeting: the client shall come again later. */
extern void connection_later(char const *reply);

#endif
