/* A descriptor handed to another process over a Unix socket that keeps packets apart (SCM_RIGHTS, unix(7)). */

#ifndef PNEU_LIB_PASS_H
#define PNEU_LIB_PASS_H

/* Returns 1, or 0 with errno; never waits: EAGAIN. The descriptor stays open here. */
extern int pass_send(int sock, int fd);

/* Waits for one, which will be closed at exec. Returns it, or -1: at the end of file with errno 0. */
extern int pass_receive(int sock);

#endif
