/* pneu-checkpw's two halves: one reads what a stranger typed and is confined, the other gives the rights away. */

#ifndef PNEU_AUTH_CHECKPW_H
#define PNEU_AUTH_CHECKPW_H

#include <stddef.h>

#include "control/passwords.h"
#include "lib/netstring.h"

#define CHECKPW_THREE_MAX 512 /* bytes of descriptor 3 (checkpassword's interface) */

#define CHECKPW_NO 1 /* exit codes of that interface */
#define CHECKPW_MISUSE 2
#define CHECKPW_LATER 111

/* Who it was, and with which password. */
struct checkpw {
    char mailbox[256], name[PASSWORDS_NAME_MAX + 1], rights[64];
};

/* Takes apart "login NUL password NUL time NUL". Returns 1, or 0: it is not that. */
extern int checkpw_scan(struct bytes three, struct bytes *login, char const **password);

/* Tries all passwords of that mailbox; at least one is always hashed, so that time does not tell who is there. `service`
 * is smtp or pop3; NULL: not known, then the password must have all rights. Returns 0, CHECKPW_NO or CHECKPW_LATER. */
extern int checkpw_try(struct bytes store, struct bytes login, char const *password, char const *service,
                       struct checkpw *);

/* Does all that in a confined child: reads descriptor `three` and users/passwords. Returns as above, or CHECKPW_MISUSE. */
extern int checkpw_ask(int three, char const *service, struct checkpw *);

/* Only what that child needs: users/ to be read. Returns 1, or 0 with errno. */
extern int checkpw_confine(void);

/* Becomes the mailbox's owner as checkpassword does: uid and folder if it is root, USER, HOME and SHELL always.
 * Returns 0, or an exit code. */
extern int checkpw_become(struct checkpw const *, char const *service);

#endif
