/* What pneu-cert does with tls/NAME/: keys and certificates are made and looked at by openssl(1), files are put where
 * pneu-keyd finds them. The working directory is $PNEU_HOME. */

#ifndef PNEU_TLS_CERTIFICATE_H
#define PNEU_TLS_CERTIFICATE_H

#include <skalibs/stralloc.h>

#include "control/service.h"

/* 1 if that can be the name of a folder: a host name in lower case, ".example.org", "default". */
extern int certificate_name(char const *);

/* Makes a key, and a certificate for these names that it has signed itself, which counts at once. Returns 1, or 0 with errno and
 * op->why. */
extern int certificate_new(struct operation *, char const *const *names, int rsa, unsigned int days);

/* Makes a key, which waits in tls/NAME/next.pem, and appends the request for a certificate for these names. Returns as above. */
extern int certificate_request(struct operation *, char const *const *names, int rsa, stralloc *request);

/* Installs a chain and its key, both whole files in PEM form; without a key (NULL) the one of the last request, or the one that
 * is there. EPROTO: they are nothing that pneu-keyd could use, op->why says what. Every host name in the certificate becomes a
 * link to the folder, unless there is another certificate for it; "default", too. Returns as above. */
extern int certificate_install(struct operation *, char const *name, stralloc const *chain, stralloc const *key);

enum certificate_state { CERTIFICATE_GOOD, CERTIFICATE_DOUBTFUL, CERTIFICATE_UNUSABLE };

/* Can pneu-keyd use it? Nothing is started for that. Returns GOOD, or UNUSABLE with *why. */
extern enum certificate_state certificate_usable(char const *name, char const **why);

/* All that can be said about one: key, order of the chain, names, time; `days` before its end it is doubtful. Appends a line
 * "NAME: ..." for each thing that is wrong. Returns the worst; -1 with errno and op->why if it cannot be known. */
extern int certificate_check(struct operation *, char const *name, unsigned int days, stralloc *text);

#endif
