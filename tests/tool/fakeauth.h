/* A pneu-authd (lib/auth.h) that gives answers out of a list, for tests of the programs that ask one. */

#ifndef PNEU_TESTS_TOOL_FAKEAUTH_H
#define PNEU_TESTS_TOOL_FAKEAUTH_H

#include <skalibs/stralloc.h>

#define FAKEAUTH_MAX 16

struct fakeauth {
    stralloc answers[FAKEAUTH_MAX]; /* "class|data|login|name|rights|reason"; parts at the end may be missing */
    unsigned int count;
};

/* Serves the listening socket for ever. The n-th question is written to N.question, its parts with '|' between, and gets
 * the n-th answer; when there are none left, it is hung up on. */
extern void fakeauth_serve(int listener, struct fakeauth const *) __attribute__((noreturn));

#endif
