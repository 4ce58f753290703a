/* pneu-authd's judgement on one question (lib/auth.h). The working directory is $PNEU_HOME. */

#ifndef PNEU_AUTH_AUTHD_H
#define PNEU_AUTH_AUTHD_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/auth.h"

struct authd {
    stralloc checkpassword; /* the words of the program, each ended by NUL */
    stralloc domain;        /* for a login without one; may be empty; NUL-terminated, the NUL not counted */
    stralloc me;            /* likewise; this host, for CRAM-MD5 */
    char const *self;       /* the path of pneu-authd */
    uint32_t seconds;       /* the program's time */
};

/* An answer and what it points to. */
struct authd_reply {
    struct auth_answer answer;
    stralloc data, login, name, rights;
};

#define AUTHD_REPLY_ZERO                                                                                               \
    {                                                                                                                  \
        .answer = {.class = 'Z'}, .data = STRALLOC_ZERO, .login = STRALLOC_ZERO, .name = STRALLOC_ZERO,                \
        .rights = STRALLOC_ZERO                                                                                        \
    }

/* Always leaves an answer. */
extern void authd_judge(struct authd const *, struct auth_question const *, struct authd_reply *);

/* Its parts. authd_verdict sets class and reason. */
extern void authd_verdict(struct authd_reply *, char class, char const *reason);

/* Who that login means: its domain is added, large letters become small. Returns 1, or 0 and the verdict is made. */
extern int authd_login(struct authd const *, struct bytes login, struct authd_reply *);

/* SCRAM-SHA-256 and CRAM-MD5, from users/passwords. */
extern void authd_scram(struct authd const *, struct auth_question const *, struct authd_reply *);
extern void authd_cram(struct authd const *, struct auth_question const *, struct authd_reply *);

/* Runs the checkpassword program, login and password on its descriptor 3, with `pneu-authd -r` behind it. Yes means that it ran
 * that, and that it ended with 0. */
extern void authd_run(struct authd const *, struct auth_question const *, struct bytes login, struct bytes password,
                      struct authd_reply *);

/* `pneu-authd -r`: says on descriptor 1 what the checkpassword program left in the environment. Returns an exit code. */
extern int authd_report(void);

/* Limits on itself and on what it runs. Returns 1, or 0 with errno. */
extern int authd_limit(uint32_t seconds);

#endif
