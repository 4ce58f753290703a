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

    int begun;  /* a part of a command has come ... */
    tain whole; /* ... the rest must by then */

    uint32_t rate; /* bytes a second that must come, 0: any number ... */
    tain since;    /* ... from then on ... */
    uint64_t came; /* ... and so many did */
};

/* Begins: at most `timeout` seconds a piece, `session` in all. Sets the clock of skalibs. */
extern void wire_init(struct wire *, uint32_t timeout, uint32_t session);

/* A command is there in part (1): it must be whole within `timeout`, however many pieces it comes in. Or none is (0). */
extern void wire_part(struct wire *, int begun);

/* From now on the client must send so many bytes a second on average, once `timeout` has passed; 0: as it likes. The same
 * rate again changes nothing. */
extern void wire_rate(struct wire *, uint32_t rate);

/* Seconds left of the session, at least 1. */
extern uint32_t wire_left(struct wire const *);

/* Returns the bytes read; 0 at the end of file; -1 with errno: ETIMEDOUT one piece or command took too long, ETIME the
 * session did, ENODATA too little came in that time. */
extern ssize_t wire_read(struct wire *, char *s, size_t len);

/* Writes all. Returns 1, or 0 with errno as above. */
extern int wire_write(struct wire *, char const *s, size_t len);

/* Waits so many seconds without listening, but not beyond the session's end. */
extern void wire_pause(struct wire *, uint32_t seconds);

/* Waits so long for the client to say something. Returns 1 if it did, or went; 0 if not. */
extern int wire_hears(struct wire *, uint32_t seconds);

#endif
