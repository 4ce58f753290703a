/* The SMTP dialogue (RFC 5321), as a machine that is fed bytes and leaves replies: it knows no descriptor and no clock,
 * so that a test or a fuzzer can be its client. */

#ifndef PNEU_SMTPD_SESSION_H
#define PNEU_SMTPD_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/auth.h"
#include "lib/log.h"
#include "lib/netstring.h"
#include "lib/sasl.h"
#include "queue/intake.h"
#include "smtpd/data.h"
#include "smtpd/hook.h"
#include "smtpd/params.h"
#include "smtpd/peer.h"
#include "smtpd/policy.h"
#include "smtpd/starttls.h"
#include "smtpd/tidy.h"

#define SESSION_LINE_MAX 2048  /* bytes of a command with its CR LF: room for an address and all parameters */
#define SESSION_AUTH_MAX 12288 /* of AUTH and of a response (RFC 4954 section 4) */
#define SESSION_DELAY_MAX 60   /* seconds that a refused login is held back at most */

/* Where messages go. The program's is smtpd/handover.c. Each returns 1, or 0 with errno; after a 0 the message is gone. */
struct session_queue {
    void *to;                                                              /* given to each */
    int (*begin)(void *to, struct bytes envelope, struct intake_answer *); /* may it come? */
    int (*data)(void *to, char const *s, size_t len);
    int (*end)(void *to, struct intake_answer *);
    void (*drop)(void *to);              /* forget the message that has begun */
    uint64_t (*now)(void *to);           /* seconds since 1970, for the trace field */
    void (*log)(struct log *);           /* writes a line of the log; log_end in the program */
    struct session_checks const *checks; /* NULL: there is nobody to ask */

    /* Is a login good? The answer leads into what lasts until the next question. A refusal comes no sooner than so many
     * seconds after the question. NULL: there is no AUTH. */
    int (*login)(void *to, struct auth_question const *, struct auth_answer *, uint32_t seconds);
};

/* Where the operator's programs are asked (smtpd/hook.h). The program's is smtpd/checks.c. Each returns 1, or 0 with errno:
 * then nobody answers. */
struct session_checks {
    void *to;             /* given to each */
    char const *instance; /* a word no other session has */
    int (*ask)(void *to, struct bytes question, struct hook_answer *);
    int (*begin)(void *to, struct bytes question); /* a message follows */
    int (*data)(void *to, char const *s, size_t len);
    int (*end)(void *to, struct hook_answer *);
    void (*drop)(void *to); /* there is no more of the message */
};

enum session_state {
    SESSION_COMMAND,
    SESSION_TOO_LONG, /* reading over the rest of a command line */
    SESSION_DATA,
    SESSION_CHUNK,    /* the bytes behind BDAT */
    SESSION_AUTH,     /* a response is awaited */
    SESSION_STARTTLS, /* send the reply, then begin TLS with another program: this session is over */
    SESSION_OVER,     /* send the replies, then hang up */
};

/* An AUTH exchange, and what came of those before. */
struct session_auth {
    enum sasl which;
    stralloc said[AUTH_SAID_MAX]; /* by turns the client's and the server's messages, decoded */
    size_t count;
    int proven;     /* the answer was yes; the client has still to take note of the server's own proof ... */
    stralloc login; /* ... and this is he then */
    uint32_t failures;
    int overlong; /* the line being read over is one */
};

struct session {
    struct policy const *policy;
    struct peer const *peer;
    struct session_queue const *queue;
    enum policy_kind kind;
    struct peer_tls tls; /* .protocol NULL: in clear */
    stralloc login;      /* who has proved to be it; empty: nobody */

    enum session_state state;
    char const *reason; /* why it is over, for the log; NULL: the client said QUIT */
    stralloc out;       /* replies to send */
    uint32_t errors, messages;
    uint32_t slow;    /* of these replies, those that a tarpit shall hold back */
    int last_refused; /* the last command was a DATA that was refused */
    int more;         /* input lies behind the command being obeyed */
    int secret;       /* that command may hold a password: its bytes are to be wiped */
    struct session_auth auth;

    int may_xclient;           /* it may say who its client is */
    unsigned int xclient;      /* attributes it said, bits */
    char const *const *become; /* it is over, and this program goes on; NULL: none */
    stralloc environment;      /* and with these variables, see smtpd/become.h */

    int esmtp;
    stralloc helo; /* empty: no greeting yet */

    /* the transaction */
    int has_sender;
    stralloc sender;
    struct params params; /* of MAIL; envid and orcpt are not kept */
    stralloc records;     /* these as envelope records */
    stralloc recipients;  /* envelope records */
    stralloc only;        /* the first recipient, as given */
    uint32_t count;       /* of recipients */
    uint32_t excess;      /* recipients turned away because of maxrcpt */

    struct relay_reason relayed; /* why mail was relayed the last time it was */

    /* the message */
    struct data data;
    int open;        /* the queue has begun to take it */
    char const *why; /* not open: the reply, NULL: see data.wrong */
    int chunked;     /* it comes by BDAT */
    int last;        /* this chunk is the last one */
    uint64_t chunk;  /* its size */
    uint64_t left;   /* bytes of it still to come */
    uint64_t bytes;  /* of all messages of this session, as they came in */
    stralloc scratch;

    /* the operator's programs */
    stralloc question;
    struct hook_answer answer;
    stralloc headers;      /* fields they add to the message */
    size_t lasting;        /* of these, bytes that are for every message of the session */
    uint32_t transactions; /* MAIL commands so far */
    struct tidy tidy;      /* the header of a submitted message */
    int tidying;           /* it is being read */
    int checking;          /* datacheck has begun to read the message */
};

/* Begins a session: its first reply is the greeting. */
extern void session_start(struct session *, struct policy const *, struct peer const *, struct session_queue const *);

/* Instead of greeting: the client that has been here in clear goes on, under TLS, with what counts for the limits. Who is
 * turned away now hears it as the answer to what it says first. */
extern void session_resume(struct session *, struct starttls_carried const *);

/* Obeys what the client sent; the bytes are changed. Returns how many were used up: an unfinished command at the end,
 * always shorter than SESSION_AUTH_MAX, is wanted again with more behind it. */
extern size_t session_feed(struct session *, char *s, size_t len);

/* Ends it with a last reply (NULL: none) and the reason for the log. */
extern void session_hangup(struct session *, char const *reply, char const *reason);

/* Writes the reason of the end to the log, if it was no QUIT. */
extern void session_log_end(struct session *);

/* 1 if it was begun and ended as it should be: with QUIT, nothing was refused, nobody tried to log in. */
extern int session_polite(struct session const *);

extern void session_free(struct session *);

#endif
