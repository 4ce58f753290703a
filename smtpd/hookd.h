/* pneu-hookd's side of run/hook (smtpd/hook.h): reads questions, runs the operator's programs, sends answers. */

#ifndef PNEU_SMTPD_HOOKD_H
#define PNEU_SMTPD_HOOKD_H

#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "lib/netstring.h"
#include "smtpd/hook.h"

struct hookd_question {
    enum hook_phase phase;
    int message;     /* a message follows */
    stralloc server; /* NUL-terminated; empty: no listener */
    stralloc env;    /* "NAME=value\0" each: what the programs get */
};

#define HOOKD_QUESTION_ZERO                                                                                            \
    {                                                                                                                  \
        .server = STRALLOC_ZERO, .env = STRALLOC_ZERO                                                                  \
    }

/* Reads a question's records. Those it does not know are passed over. Returns 1, or 0 with errno: EPROTO. */
extern int hookd_question_scan(struct bytes, struct hookd_question *);

/* Splits a command line into words ended by NULs, if no shell is needed to understand it. Returns the number of words, 0 if one
 * is needed; -1 with ENOMEM. */
extern int hookd_words(char const *line, stralloc *words);

/* Serves one connection until the client closes it. SIGTERM and SIGCHLD are blocked; SIGTERM ends the process between two
 * questions. */
extern void hookd_session(int fd);

/* --- hookrun.c --- */

/* What one program found. */
struct hookrun {
    char const *line;    /* of the setting */
    stralloc const *env; /* struct hookd_question */
    int message;         /* a file, or -1 */
    tain deadline;       /* absolute */
    char const *phase;   /* for the log */
};

/* Runs it and waits. The answer gets its text, and its header fields are appended. Returns 1 if it has judged: go on
 * with what the verdict says. Returns 0 if it could not be run, or not to its end: the log says why, the answer is HOOK_LATER. */
extern int hookrun(struct hookrun const *, struct hook_answer *);

#endif
