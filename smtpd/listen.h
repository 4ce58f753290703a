/* A listener that forks, where a tcp server would start a program (pneu-smtplisten). */

#ifndef PNEU_SMTPD_LISTEN_H
#define PNEU_SMTPD_LISTEN_H

#include <stdint.h>

#include "lib/replaced.h"
#include "lib/serve.h"
#include "smtpd/connection.h"
#include "smtpd/starttls.h"

#define LISTEN_PROGRAMS 4

struct listen {
    uint32_t maxconn, maxconnperip, connperchild;
    /* a child's own */
    struct connection connection;
    uint32_t served; /* connections so far */

    int before; /* a program was wanted before pneu-smtpd when it began: whoever began it wants none */
    int over;   /* one is wanted now, or there are new programs: the next listener is another */
    char folder[STARTTLS_PATH_MAX];
    struct replaced programs[LISTEN_PROGRAMS]; /* those it may execute, and itself */
};

/* Fills in the functions. When a setting or access rules begin to ask for what a listener that forks cannot do, or a
 * program in the folder was replaced, it turns that client away and ends, as by SIGTERM: the supervisor starts what is
 * wanted now. */
extern void listen_init(struct listen *, char const *folder, struct serve *);

/* Reads the settings that may change while it runs. Returns 1, or 0 with errno and *which. */
extern int listen_settings(struct listen *, char const **which);

#endif
