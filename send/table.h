/* All messages that pneu-send knows, 24 bytes each and 8 to 12 of index: a set of identifiers, and heaps of what is due.
 * Entries are named by number, which stays while the entry does. */

#ifndef PNEU_SEND_TABLE_H
#define PNEU_SEND_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "queue/id.h"

#define TABLE_NONE UINT32_MAX

/* Where an entry is. In a heap the smallest key comes first. */
enum table_place {
    TABLE_FRESH,   /* heap: came by the trigger; key counts up: first come, first served */
    TABLE_BACKLOG, /* heap: found in new/ by a scan; key falls with age: newest first */
    TABLE_WAIT,    /* heap: key is the second it is due, of CLOCK_BOOTTIME */
    TABLE_HEAPS,
    TABLE_PARKED = TABLE_HEAPS, /* in a chain of a destination that has enough; key is the next one */
    TABLE_ACTIVE,               /* being worked on */
    TABLE_FREE
};

#define ENTRY_TOKEN 1u   /* its name begins with 't' */
#define ENTRY_WAITS 2u   /* its file was last seen in wait/XX, else in new/ */
#define ENTRY_TWICE 4u   /* it was seen in both */
#define ENTRY_NOW 16u    /* somebody wants it tried now */
#define ENTRY_AGAIN 8u   /* an attempt may have been made whose result nobody knows */
#define ENTRY_WANTED 32u /* parked, and somebody says that it has changed */

struct entry {
    unsigned char id[ID_LEN / 2];
    uint8_t flags;
    uint8_t place;
    uint32_t key;
    uint32_t at; /* its place in the heap; of a free entry the next free one */
};

struct heap {
    uint32_t *entries;
    uint32_t len, room;
};

struct table {
    struct entry *entries;
    uint32_t used, room; /* entries ever taken, allocated */
    uint32_t free;       /* first free one below used */
    uint32_t count;
    uint32_t *slots; /* open addressing: entry + 1, 0 is empty */
    uint32_t mask;
    struct heap heaps[TABLE_HEAPS];
};

#define TABLE_ZERO                                                                                                     \
    {                                                                                                                  \
        .free = TABLE_NONE                                                                                             \
    }

/* The entry of a valid identifier, or TABLE_NONE. */
extern uint32_t table_find(struct table const *, char const *id);

/* Makes one that is not there yet, TABLE_ACTIVE. Returns its number, or TABLE_NONE with ENOMEM. */
extern uint32_t table_add(struct table *, char const *id);

/* Forgets one; it must not be parked. */
extern void table_remove(struct table *, uint32_t);

extern void table_id(struct table const *, uint32_t, char id[static ID_SIZE]);

/* Puts an entry that is in no heap into one, or moves one within or between heaps. Returns 1, or 0 with ENOMEM:
 * then it is where it was. */
extern int table_put(struct table *, uint32_t, enum table_place heap, uint32_t key);

/* Takes it out of its heap: it is TABLE_ACTIVE. */
extern void table_take(struct table *, uint32_t);

/* The first of a heap, or TABLE_NONE. */
extern uint32_t table_first(struct table const *, enum table_place heap);

extern void table_free(struct table *);

#endif
