/* The client's descriptors, 0 and 1: socket or pipes, each read and write with a deadline. */

#ifndef PNEU_SMTPD_WIRE_H
#define PNEU_SMTPD_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skalibs/tai.h>

struct wire {
    uint32_t timeout; /* seconds for one read or write */
    tain end;         /* of the whole session */
    int timed;        /* the socket keeps the time itself */
};

/* Begins: at most `timeout` seconds a piece, `session` in all. Sets the clock of skalibs. */
extern void wire_init(struct wire *, uint32_t timeout, uint32_t session);

/* Returns the bytes read; 0 at the end of file; -1 with errno, ETIMEDOUT: one piece took too long, ETIME: the session did. */
extern ssize_t wire_read(struct wire *, char *s, size_t len);

/* Writes all. Returns 1, or 0 with errno as above. */
extern int wire_write(struct wire *, char const *s, size_t len);

#endif
