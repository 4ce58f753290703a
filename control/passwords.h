/* users/passwords (passwords(5)): a line a password,
 *
 *   mailbox:name:rights:hash[:verifier...]
 *
 * mailbox   whose, with its domain, in lower case
 * name      what the owner calls it: a mailbox may have several, one an application
 * rights    smtp, pop3, separated by commas
 * hash      as crypt(5) makes it; one that begins with '*' or is empty fits no password
 * verifier  what the challenge methods need, where it was wanted:
 *             scram-sha-256=ROUNDS,SALT,STOREDKEY,SERVERKEY   Base64; all of one mailbox have one salt
 *             cram-md5=STATES                                 Base64 of HMAC-MD5's two states
 *
 * Empty lines, '#' and what is malformed are passed over: one broken line locks nobody else out. The working directory is
 * $PNEU_HOME. */

#ifndef PNEU_CONTROL_PASSWORDS_H
#define PNEU_CONTROL_PASSWORDS_H

#include <skalibs/stralloc.h>

#include "control/service.h"
#include "lib/netstring.h"
#include "lib/secret.h"

#define PASSWORDS "users/passwords"
#define PASSWORDS_KEY "users/passwordkey"
#define PASSWORDS_NAME_MAX 32
#define PASSWORDS_EACH_MAX 16 /* passwords of one mailbox: a login may have to try them all */
#define PASSWORDS_ROUNDS 10000
#define PASSWORDS_SALT 16
#define PASSWORDS_RIGHTS "smtp,pop3" /* all there are */

struct password {
    struct bytes mailbox, name, rights, hash, verifiers;
};

/* Reads a file of this kind. Returns 1, 0 if there is none, -1 with errno. */
extern int passwords_read(char const *path, stralloc *text);

/* The next password. Returns 1, or 0 at the end. */
extern int passwords_next(struct bytes *cursor, struct password *);

/* The same, of that mailbox (case ignored). */
extern int passwords_find(struct bytes *cursor, struct bytes mailbox, struct password *);

/* 1 if rights hold that one. */
extern int passwords_may(struct bytes rights, char const *right);

/* 1 if it is a list of rights that we know. */
extern int passwords_rights(char const *);

/* 1 if it may be a password's name: letters, digits, '.', '_' and '-', at most PASSWORDS_NAME_MAX. */
extern int passwords_name(char const *);

/* A verifier, read. Returns 1, or 0: there is none, or it is malformed. */
struct password_scram {
    struct secret_scram keys;
    unsigned char salt[PASSWORDS_SALT];
    uint32_t rounds;
};

extern int passwords_scram(struct password const *, struct password_scram *);
extern int passwords_cram(struct password const *, struct secret_cram *);

/* The salt of that mailbox: of those that there are, and of those that there are not. It comes from a secret of this
 * instance, so that a stranger learns from it nothing about who is here. */
extern void passwords_salt(struct bytes key, struct bytes mailbox, unsigned char salt[static PASSWORDS_SALT]);

/* What a mailbox has, for the operator: name and rights, "name rights" each ended by NUL. The file's changes are
 * whole and durable, and only root and pneua may read it. Return 1, or 0 with errno and op->why. */
extern int passwords_list(struct operation *, char const *mailbox, stralloc *names);

/* Puts a line that passwordmake made in the place of the one of that mailbox and name, or behind all. EDQUOT: it has
 * PASSWORDS_EACH_MAX already. */
extern int passwords_put(struct operation *, char const *mailbox, char const *name, stralloc const *line);

/* Takes one away, or with name NULL all of the mailbox's. *removed says how many there were. */
extern int passwords_remove(struct operation *, char const *mailbox, char const *name, unsigned int *removed);

/* Makes a line, with its newline. `methods` says (1 << SASL_x, lib/sasl.h) for which of SCRAM-SHA-256 and CRAM-MD5
 * verifiers are added. Returns 1, or 0 with errno and op->why. */
extern int passwordmake(struct operation *, stralloc *line, char const *mailbox, char const *name, char const *rights,
                        struct bytes password, unsigned int methods);

/* For which mechanisms verifiers are wanted: those that authmech of any listener, or of all, offers. Returns as above. */
extern int passwordmake_methods(struct operation *, unsigned int *methods);

#endif
