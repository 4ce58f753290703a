/* One message to one recipient: what pneu-local's parts tell each other. */

#ifndef PNEU_LOCAL_DELIVERY_H
#define PNEU_LOCAL_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

#define OUTCOME_TEXT 400

/* How it went. class: K delivered, Z try again, D never. */
struct outcome {
    char class;
    char code[12];
    int dsn;                     /* K: whoever gets it next was told what the sender wants to hear (RFC 3461) */
    char text[OUTCOME_TEXT + 1]; /* printable; "text: detail" */
};

/* Sets it; detail may be NULL; with e an errno's text follows. Returns 0, so
 * that a failing function ends with it. */
extern int outcome_set(struct outcome *, char class, char const *code, char const *text, char const *detail, int e);

/* Appends foreign text (a program's output): what cannot be printed becomes a
 * blank. */
extern void outcome_add(struct outcome *, char const *s, size_t len);

#define MESSAGE_BLOCK 65536

/* The message: a descriptor read with pread from 0, and its first block, which
 * for most is all of it. */
struct message {
    int fd;
    uint64_t length;
    size_t head; /* bytes of the message's beginning in `block` */
    char block[MESSAGE_BLOCK];
    char spare[MESSAGE_BLOCK]; /* for whoever reads on */
};

/* Reads the first block. The caller keeps the descriptor. Returns 1, or 0 with
 * errno. */
extern int message_open(struct message *, int fd, uint64_t length);

/* Reads the block at an offset into spare, or finds it in `block`. Returns its
 * length and sets *s; 0 at the end, -1 with errno. */
extern ssize_t message_read(struct message *, uint64_t at, char const **s);

/* Writes the prefix and the whole message to fd, in constant memory. Returns 1;
 * 0 with errno: writing failed; -1 with errno: reading failed. */
extern int message_copy(struct message *, struct bytes prefix, int fd);

/* 1 if the header holds that line (with its LF), 0 if not, -1 with errno. */
extern int message_has(struct message *, struct bytes line);

struct helper;

/* A recipient and where it may be delivered. All strings are NUL-terminated. */
struct delivery {
    char const *user, *home, *local, *dash, *ext, *host, *sender;
    char const *id;        /* message ID, or another unique name */
    uint32_t index;        /* of the recipient */
    int again;             /* it may have been delivered before */
    uint32_t uid, gid;     /* ours */
    int mailbox;           /* a virtual mailbox: no programs, Maildirs are made when
                       missing */
    struct bytes defaults; /* lines for a user without instructions */
    struct message *message;
    struct helper *helper;                        /* NULL: there is none */
    struct bytes body, ret, envid, notify, orcpt; /* for forwards */
    int smtputf8, requiretls;

    /* Made by delivery_begin and delivery_search. */
    int homefd;
    char const *suffix; /* what `default` in the file's name stood for; NULL: no
                           default */
    size_t prefixed;    /* of prefix, the bytes of its first line */
    stralloc prefix;    /* Return-Path, Delivered-To */
    stralloc from;      /* the From_ line of an mbox */
    stralloc newsender; /* of forwards, NUL-terminated; made when needed */
};

#define DELIVERY_ZERO                                                                                                  \
    {                                                                                                                  \
        .homefd = -1, .prefix = STRALLOC_ZERO, .from = STRALLOC_ZERO, .newsender = STRALLOC_ZERO                       \
    }

/* Delivers as the recipient's dot file says. With `show`, writes what would be
 * done to descriptor 1 instead. */
extern void delivery_do(struct delivery *, int show, struct outcome *);
extern void delivery_free(struct delivery *);

/* Makes the lines that stand before a delivered message. `now` is seconds since
 * 1970. Returns 1, or 0 with ENOMEM. */
extern int delivery_lines(struct delivery *, uint64_t now);
extern struct bytes delivery_returnpath(struct delivery const *);
extern struct bytes delivery_deliveredto(struct delivery const *);

/* Delivers to one file line of the dot file: a Maildir if the path ends in '/',
 * else an mbox. Returns 1 delivered, 0 not: the outcome says why; -1 with errno
 * EACCES: it lies where this process may not go, and nothing was done. */
extern int file_deliver(struct delivery *, char const *path, unsigned int line, struct outcome *);
extern int maildir_deliver(struct delivery *, char const *path, unsigned int line, struct outcome *);
extern int mbox_deliver(struct delivery *, char const *path, struct outcome *);

/* Sends the message to these addresses (NUL-terminated, one behind the other)
 * as one new message. Returns 1, or 0: the outcome says why. */
extern int forward_send(struct delivery *, stralloc const *addresses, struct outcome *);

/* The environment of a program: NAME=VALUE, NUL-terminated, one behind the
 * other. Returns 1, or 0 with ENOMEM. */
extern int program_environment(struct delivery const *, stralloc *);

/* 1 if such a value may stand in a program's environment: no control
 * characters, and not the "()" that makes old shells run what follows. */
extern int program_safe(char const *s, size_t len);

#endif
