/* Postfix's policy delegation protocol (SMTPD_POLICY_README), the client's side: what pneu-policy says and understands. */

#ifndef PNEU_SMTPD_DELEGATE_H
#define PNEU_SMTPD_DELEGATE_H

#include <stddef.h>
#include <sys/socket.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/netstring.h"

#define DELEGATE_REPLY_MAX 8192

/* Where a policy server listens. */
struct delegate_address {
    struct sockaddr_storage name;
    socklen_t len;
};

/* Reads "unix:PATH" or "inet:ADDRESS:PORT"; the address is IPv4, [IPv6] or localhost. Returns 1, or 0 with EINVAL. */
extern int delegate_address_scan(char const *, struct delegate_address *);

/* Appends the request that the environment of a hook program (pneu-hookd(8)) asks for. Returns 1, or 0 with ENOMEM. */
extern int delegate_request(stralloc *to);

/* What a program in pneu-hookd's list is to do about it. */
struct delegate_action {
    int exit;       /* 0 go on, 99 yes, 100 no, 111 later */
    stralloc text;  /* for descriptor 1 */
    stralloc field; /* for descriptor 3: a header field */
    stralloc note;  /* for the log */
};

/* 1 if the reply is there whole: an empty line ends it. */
extern int delegate_reply_ends(struct bytes);

/* Reads a reply. `ok` is the exit code of OK. Never fails for what the server says: what is not understood is "later".
 * Returns 1, or 0 with ENOMEM. */
extern int delegate_action_scan(struct bytes reply, int ok, struct delegate_action *);

/* Connects. Returns the socket, or -1 with errno, ETIMEDOUT at the deadline. */
extern int delegate_connect(struct delegate_address const *, tain const *deadline);

/* Sends the request and reads the reply. Returns 1, or 0 with errno. */
extern int delegate_ask(int fd, stralloc const *request, stralloc *reply, tain const *deadline);

/* Reading and writing what is open, nothing else. Returns 1, or 0 with errno. */
extern int delegate_confine(void);

#endif
