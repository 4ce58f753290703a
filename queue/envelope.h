/* An envelope: records, each a netstring that holds NAME=VALUE. The same bytes
 * travel through run/intake, lie in the queue file and go along with a job.
 * Nothing is parsed into structs: an envelope stays the bytes it is, a cursor
 * walks over it, and records that nobody knows are kept.
 *
 * Of the message:
 *   from=ADDRESS      envelope sender; empty: the null sender
 *   body=7BIT|8BITMIME|BINARYMIME   smtputf8=1   requiretls=1
 *   ret=FULL|HDRS     envid=XTEXT       (RFC 3461)
 *   origin=smtp|script|bounce|forward|pickup     how it came in
 *   client=ADDRESS    listener=NAME     login=NAME
 *   hold=SECONDS      not before that time
 *   time=SECONDS      arrival     uid=NUMBER   who brought it    (written by
 * pneu-queued alone) Then the recipients, each with what belongs to it behind
 * it: to=ADDRESS        notify=NEVER|SUCCESS,FAILURE,DELAY    orcpt=TYPE;XTEXT
 * Only on run/intake, never stored: size=BYTES, ask=1, token=TEXT
 * (queue/intake.h). Only in a job: job=, transport=, key=, id=, offset=,
 * length=, again=, index= (queue/job.h).
 */

#ifndef PNEU_QUEUE_ENVELOPE_H
#define PNEU_QUEUE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

#define ENVELOPE_VALUE_MAX 4096   /* bytes of a value */
#define ENVELOPE_NAME_MAX 32      /* bytes of a name: lower case letters and digits */
#define ENVELOPE_ADDRESS_MAX 1000 /* bytes of an address */
#define ENVELOPE_MAX 67108864     /* bytes of an envelope: 64 MiB */
#define ENVELOPE_RECIPIENTS_MAX 1000000

struct record {
    char const *name; /* not NUL-terminated */
    size_t namelen;
    struct bytes value;
};

/* Takes the next record off the cursor. Returns 1; 0 at the end; -1 with EPROTO
 * if malformed: no netstring, no name, a value too long or with NUL, CR or LF
 * in it. */
extern int envelope_next(struct bytes *cursor, struct record *);

/* The same up to the next recipient: his to=, or 0 if there is none any more. For an envelope that was checked. */
extern int envelope_recipient(struct bytes *cursor, struct record *);

/* Does the recipient to whom the cursor has just come want to hear of that: "FAILURE", "DELAY", "SUCCESS"? Where he has no
 * notify=, what is given as otherwise. */
extern int envelope_notify(struct bytes cursor, char const *word, int otherwise);

/* 1 if the record has that name. */
extern int record_is(struct record const *, char const *name);

/* A value that is a decimal number. Returns 1, or 0 with EPROTO. */
extern int record_uint(struct record const *, uint64_t *);

/* Appends a record. Returns 1, or 0 with ENOMEM. */
extern int envelope_put(stralloc *to, char const *name, char const *value, size_t len);
extern int envelope_putuint(stralloc *to, char const *name, uint64_t value);

/* The first record of that name before the first recipient. Returns 1, 0 if
 * there is none, -1 as envelope_next. */
extern int envelope_find(struct bytes envelope, char const *name, struct bytes *value);

/* Counts the recipients. Returns 1, or 0 with EPROTO: some record is malformed,
 * an address is too long or has a byte below 0x20 in it, there is no sender or
 * more than one, or a recipient's record precedes the first to=. */
extern int envelope_check(struct bytes envelope, uint32_t *recipients);

/* 1 if that is an address we queue: at most ENVELOPE_ADDRESS_MAX bytes, none
 * below 0x20 and no 0x7f. Empty is one. */
extern int envelope_address(char const *s, size_t len);

#endif
