/* An intake (queue/intake.h) that keeps messages as files, for tests of the programs that speak to one. */

#ifndef PNEU_TESTS_TOOL_FAKEQUEUE_H
#define PNEU_TESTS_TOOL_FAKEQUEUE_H

struct fakequeue {
    char const *open; /* answer to an opening that asks; NULL: "K0 2.0.0 go on" */
    char const *end;  /* answer to a message; NULL: "K0 2.0.0 fake-N" */
    int hangup;       /* close instead of answering a message */
    int once;         /* close after each message, as an idle session is closed */
};

/* Serves the listening socket for ever, one session after another. The n-th message that came in whole, and was
 * answered with K, is written to N.message and N.envelope. */
extern void fakequeue_serve(int listener, struct fakequeue const *) __attribute__((noreturn));

#endif
