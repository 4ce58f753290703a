/* Questions to the operator's programs, between pneu-smtpd and pneu-hookd over run/hook. Any number may follow each other on
 * one connection.
 *
 *   client   N:records,       a question: phase=, and what the table in smtpd/hookd.c knows
 *   client   N:bytes, ... 0:, the message in chunks; only where the question holds message=1
 *   server   N:records,       the answer: verdict=go|yes|no|later, text=, header= (any number)
 *
 * Records are those of queue/envelope.h. */

#ifndef PNEU_SMTPD_HOOK_H
#define PNEU_SMTPD_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

#define HOOK_QUESTION_MAX 32768
#define HOOK_ANSWER_MAX 65536
#define HOOK_CHUNK_MAX 65536
#define HOOK_HEADER_MAX 8192 /* bytes of fields that one program may add */

enum hook_phase { HOOK_CONNECT, HOOK_HELO, HOOK_MAIL, HOOK_RCPT, HOOK_DATA, HOOK_PHASES };

enum hook_verdict {
    HOOK_GO,    /* nobody had anything against it */
    HOOK_YES,   /* it is welcome, and need not be looked at further */
    HOOK_NO,    /* never */
    HOOK_LATER, /* not now */
    HOOK_VERDICTS
};

struct hook_answer {
    enum hook_verdict verdict;
    stralloc text;    /* a line for the client, unchecked; may be empty */
    stralloc headers; /* whole fields to go before the message, lines end in LF */
};

/* "connectcheck", "helocheck" ...: the settings that hold the programs, and the word in a question. */
extern char const *const hook_phases[HOOK_PHASES];

/* "go", "yes", "no", "later". */
extern char const *const hook_verdicts[HOOK_VERDICTS];

/* The frames. An answer that is malformed is an error, so is a header that is no field. Return 1, or 0 with errno. */
extern int hook_answer_put(stralloc *to, struct hook_answer const *);
extern int hook_answer_scan(struct bytes, struct hook_answer *);

/* 1 if that is one or more whole header fields in printable ASCII, UTF-8 and tabs, lines of at most 998 bytes. */
extern int hook_fields(char const *s, size_t len);

/* Appends the reply to HOOK_NO or HOOK_LATER: "550 5.7.1 text". The program may give the code, and the enhanced one, itself. */
extern int hook_reply(stralloc *to, struct hook_answer const *);

extern void hook_answer_free(struct hook_answer *);

/* pneu-smtpd's end. Nothing is opened before the first question. */
struct hook {
    int fd; /* -1: no connection */
    uint32_t timeout;
    stralloc out;
};

extern void hook_init(struct hook *, uint32_t timeout);

/* Asks, and waits for the answer. Return 1, or 0 with errno: nobody is there, or nobody answers in time. */
extern int hook_ask(struct hook *, struct bytes question, struct hook_answer *);

/* The same for a message: each step as above, after a failure there is nothing more to be said. */
extern int hook_begin(struct hook *, struct bytes question);
extern int hook_data(struct hook *, char const *s, size_t len);
extern int hook_end(struct hook *, struct hook_answer *);
extern void hook_close(struct hook *);

#endif
