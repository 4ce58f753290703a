/* STARTTLS as a change of programs: what the client has said in clear goes away with the process that heard it (RFC 3207
 * section 4.2). The new pneu-smtpd hears from the old one, in PNEU_SMTPD_STARTTLS, only what keeps limits true. */

#ifndef PNEU_SMTPD_STARTTLS_H
#define PNEU_SMTPD_STARTTLS_H

#include <stdint.h>

#include "smtpd/wire.h"

#define STARTTLS_PATH_MAX 1024

/* Who does the TLS. */
enum starttls_by {
    STARTTLS_NOBODY,
    STARTTLS_TLSD, /* pneu-tlsd */
    STARTTLS_UCSPI /* who started us, and has said so in SSLCTLFD, SSLREADFD and SSLWRITEFD (UCSPI-TLS) */
};

struct starttls {
    enum starttls_by by;
    char folder[STARTTLS_PATH_MAX]; /* of our programs, by full path */
    int control, read, write;       /* UCSPI-TLS's descriptors */
    uint32_t timeout;               /* seconds for its handshake */
};

/* Where our programs are, with a '/' at the end. Returns 1, or 0 with errno. */
extern int starttls_folder(char folder[static STARTTLS_PATH_MAX]);

/* Finds out who can do it; if nobody can, there is no STARTTLS. The working directory is the instance's. */
extern void starttls_find(struct starttls *, uint32_t timeout);

/* What one process hands to the next. */
struct starttls_carried {
    uint32_t errors, messages;
    uint64_t bytes;    /* of messages */
    uint32_t failures; /* of logins */
    uint32_t left;     /* seconds of the session */
};

/* Replaces this program. Returns only if that fails, with errno and what failed. */
extern char const *starttls_exec(struct starttls const *, struct starttls_carried const *);

/* The same for a client that has said nothing yet: TLS comes first. */
extern char const *starttls_first(void);

/* Takes over what was handed to us, and takes it out of the environment. Returns 1; 0 if there is nothing: a client is to be
 * greeted; -1 if there is, but it makes no sense, or there is no TLS. */
extern int starttls_resumed(struct starttls_carried *, char const *protocol);

#endif
