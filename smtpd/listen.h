/* A listener that forks, where a tcp server would start a program (pneu-smtplisten). */

#ifndef PNEU_SMTPD_LISTEN_H
#define PNEU_SMTPD_LISTEN_H

#include <stdint.h>

#include "lib/serve.h"

struct listen {
    uint32_t maxconn, maxconnperip;
};

/* Fills in the functions. */
extern void listen_init(struct listen *, struct serve *);

/* Reads the settings that may change while it runs. Returns 1, or 0 with errno and *which. */
extern int listen_settings(struct listen *, char const **which);

#endif
