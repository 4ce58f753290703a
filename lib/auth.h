/* What a server asks pneu-authd over run/auth, and what it hears: one question and one answer a connection. A question holds all
 * that was said so far, so that pneu-authd keeps nothing between two, and no client that falls silent in the middle of a
 * login occupies it.
 *
 * The question is a netstring of netstrings, in this order:
 *   mechanism   PLAIN, LOGIN, CRAM-MD5 or SCRAM-SHA-256
 *   service     smtp or pop3
 *   client      its address; may be empty
 *   listener    the name of the server; may be empty
 *   tls         the protocol, TLSv1.2 and so on; empty: in clear
 *   said...     none to AUTH_SAID_MAX messages, by turns the client's and the server's, the last the client's; decoded
 * The answer likewise:
 *   class       C  challenge: say data to the client, append it and what he answers, ask again
 *               K  yes; data, if not empty, is said to the client before he is told so
 *               D  no     Z  it cannot be known now     M  that was no message of the mechanism
 *   data
 *   login       who it is, or wanted to be, as far as that is known, with his domain
 *   name        of the application password that was used
 *   rights      of it, separated by commas; empty: all
 *   reason      of D, Z and M, a word for the log: password, nobody, rights, ... */

#ifndef PNEU_LIB_AUTH_H
#define PNEU_LIB_AUTH_H

#include <stddef.h>

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/netstring.h"

#define AUTH_SAID_MAX 3
#define AUTH_MAX 16384 /* bytes of a question or an answer */
#define RUN_AUTH "run/auth"

struct auth_question {
    struct bytes mechanism, service, client, listener, tls;
    struct bytes said[AUTH_SAID_MAX];
    size_t count;
};

struct auth_answer {
    char class;
    struct bytes data, login, name, rights, reason;
};

/* Appends it, whole. Returns 1, or 0 with ENOMEM; EMSGSIZE if it is too long. */
extern int auth_question_put(stralloc *to, struct auth_question const *);
extern int auth_answer_put(stralloc *to, struct auth_answer const *);

/* Takes one off the front; what it holds leads into `in`. Returns 1, 0 if it is not complete yet, -1 with EPROTO or
 * EMSGSIZE. */
extern int auth_question_take(struct bytes *in, struct auth_question *);
extern int auth_answer_take(struct bytes *in, struct auth_answer *);

/* Asks, over that Unix socket; the answer leads into `storage`. deadline is absolute, on skalibs' STAMP. Returns 1, or 0
 * with errno: it could not be asked or did not answer. */
extern int auth_ask(char const *path, struct auth_question const *, struct auth_answer *, stralloc *storage,
                    tain const *deadline);

#endif
