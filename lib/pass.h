/* Bytes and a descriptor handed to another process over a Unix socket (SCM_RIGHTS, unix(7)). On a socket that keeps packets
 * apart they arrive together or not at all. */

#ifndef PNEU_LIB_PASS_H
#define PNEU_LIB_PASS_H

#include <stddef.h>
#include <sys/types.h>

/* Sends some of the bytes, at least one, and the descriptor (-1: none), which stays open here. `flags` of sendmsg beside
 * MSG_NOSIGNAL. Returns how many went, or -1 with errno. */
extern ssize_t pass_send(int sock, void const *bytes, size_t len, int fd, int flags);

/* Receives bytes and what descriptor came with them, to be closed at exec; -1 if none did, or more than one. What a packet has above
 * len is lost: errno is then EMSGSIZE, and the result -1. Returns the number of bytes; 0 at the end of file; -1 with errno. */
extern ssize_t pass_receive(int sock, void *bytes, size_t len, int *fd);

#endif
