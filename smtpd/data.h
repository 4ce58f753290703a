/* The bytes of a message: CR LF becomes LF. Behind DATA the dots come off, and only CR LF . CR LF is the end
 * (RFC 5321 sections 4.1.1.4 and 4.5.2); behind BDAT they are counted (RFC 3030). Knows no socket and no queue: bytes in,
 * bytes out. */

#ifndef PNEU_SMTPD_DATA_H
#define PNEU_SMTPD_DATA_H

#include <stddef.h>
#include <stdint.h>

enum data_state {
    DATA_START,  /* at the begin of a line: after CR LF, or of everything */
    DATA_LINE,   /* inside one */
    DATA_CR,     /* after a CR inside one */
    DATA_DOT,    /* after the dot that began one */
    DATA_DOT_CR, /* after dot CR */
    DATA_END,    /* CR LF . CR LF has been read */
};

/* What was wrong so far; the worst is told, bits in order of that. */
#define DATA_BARE (1u << 0) /* a CR without LF or an LF without CR */
#define DATA_SIZE (1u << 1) /* more than `databytes` */
#define DATA_LONG (1u << 2) /* a line longer than `maxline` */
#define DATA_HOPS (1u << 3) /* more Received fields than `maxhops` */

struct data {
    enum data_state state;
    unsigned int wrong; /* DATA_* */
    int in_header;
    unsigned int hops;           /* Received fields in the header */
    uint64_t bytes;              /* of the message as SIZE= counts them: CR LF is two, no doubled dots */
    uint64_t column;             /* bytes of the line so far */
    size_t matched;              /* of these, bytes of "received:" */
    uint64_t databytes, maxline; /* limits, 0 is none */
    unsigned int maxhops;
};

/* Begins a message. */
extern void data_init(struct data *, uint64_t databytes, uint64_t maxline, unsigned int maxhops);

/* Decodes in place: the message's bytes are then s[0 .. *out). Returns how many bytes of s were read: all,
 * unless the end was among them (state DATA_END). Once something is wrong, *out is 0: the rest is
 * only read over, to the real end, so that no byte of a message is ever taken for a command. NUL and bytes from 0x80
 * are bytes like others. */
extern size_t data_decode(struct data *, char *s, size_t len, size_t *out);

/* The same for len bytes of a chunk, all of which are the message's: nothing ends it, no dot is special. CR and LF in two
 * chunks are one CR LF. A CR or LF alone is wrong here too, because neither the queue nor a DATA further on could tell it
 * from the end of a line. Returns the bytes of the message in s. */
extern size_t data_chunk(struct data *, char *s, size_t len);

/* After the last chunk: a CR that still waits for its LF stands alone. */
extern void data_chunk_last(struct data *);

#endif
