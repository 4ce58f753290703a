/* The part of pneu-spawn that starts deliverers; for -L it alone runs as root. It
 * is a process of its own and believes its other half no more than a name: a
 * request is one packet, a kind and an address, and it looks up itself whose that
 * is. The answer is one packet: "K" and the deliverer's socket, or class, code and
 * text of the refusal. */

#ifndef PNEU_SEND_SPAWNROOT_H
#define PNEU_SEND_SPAWNROOT_H

#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#define SPAWNROOT_MAX 1200 /* bytes of a request or an answer */

#define SPAWN_LOCAL 'L'   /* to a user: the address is a local part */
#define SPAWN_MAILBOX 'M' /* to a virtual mailbox */
#define SPAWN_REMOTE 'R'  /* to other hosts: the address is empty */

struct spawnroot {
    int local;           /* -L: only kinds L and M; else only R */
    char const *program; /* path of the deliverer */
    char const *const *envp;
    uint32_t own;              /* our uid */
    uint32_t mailuid, mailgid; /* pneuv's */
    int null;                  /* /dev/null, open for both */
};

/* May mail for this uid be delivered by us? own: our uid; 0 is root. Returns 1, or
 * 0. */
extern int spawnroot_allows(uint32_t own, uint32_t uid, uint32_t mailuid, uint32_t minuid);

/* What a recipient is told whom users_find has not found (0), or could not look for (-1, errno). */
extern char const *spawnroot_unknown(int found);

/* Serves requests from that socket until its other end is closed. Returns 1 then,
 * or 0 with errno. */
extern int spawnroot_serve(struct spawnroot const *, int fd);

/* The other half's call. Returns the deliverer's socket, or -1: answer holds class,
 * code, a blank and text, NUL-terminated; it is empty if there is nobody any
 * more. */
extern int spawnroot_ask(int fd, char kind, char const *address, size_t len, char answer[static SPAWNROOT_MAX + 1]);

#endif
