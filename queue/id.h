/* Message identifiers: 28 characters [0-9a-f], 't' first for those made from a
 * token. Unique for ever, and the others sort by age: 14 digits microseconds
 * since 1970, 14 random. Whoever makes a file of that name meets EEXIST in the
 * worst case, and takes the next. */

#ifndef PNEU_QUEUE_ID_H
#define PNEU_QUEUE_ID_H

#include <stddef.h>
#include <stdint.h>

#define ID_LEN 28
#define ID_SIZE (ID_LEN + 1) /* with the final NUL */

/* Makes a new one. Returns 1, or 0 with errno (getrandom failed). */
extern int id_new(char id[static ID_SIZE]);

/* The one that belongs to a token: always the same for this uid and token. */
extern void id_token(char id[static ID_SIZE], uint32_t uid, char const *token, size_t len);

/* 1 if s is the form of an identifier. Every name that comes from a folder, a
 * fifo or a person is asked first. */
extern int id_valid(char const *s, size_t len);

#endif
