/* A file of the queue as an operator's program sees it: opened by name, read, proved; nothing is changed, no lock taken. */

#ifndef PNEU_QUEUE_ITEM_H
#define PNEU_QUEUE_ITEM_H

#include <stdint.h>
#include <sys/stat.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"
#include "queue/file.h"
#include "queue/id.h"

#define ITEM_WHY_MAX 200           /* bytes of a reason that are read */
#define ITEM_PATH (64 + ID_SIZE)   /* bytes of a path with its NUL */
#define ITEM_LOG_READ_MAX 16777216 /* bytes of a file's log; of a longer one the end */
#define ITEM_HELD 7                /* settings that may hold a message */
#define ITEM_COPYING 600           /* seconds: so young a file without a right header is still being copied here */

enum item_state { ITEM_NEW, ITEM_WAIT, ITEM_HOLD, ITEM_BAD, ITEM_STATES };

struct item {
    enum item_state state;
    char const *id;
    char path[ITEM_PATH];
    int fd; /* read-only */
    struct stat st;
    struct file file;
    char const *why;                 /* NULL: a good file; else what is wrong with it */
    char beside[ITEM_WHY_MAX];       /* what ID.why says, one line; "" if there is none */
    char const *held[ITEM_HELD + 1]; /* names of settings that hold it, then NULL: for whoever looked */
    struct bytes from;
    uint64_t arrival; /* seconds since 1970 */
    stralloc log;
    uint64_t tries;
    struct file_event last; /* the last reply, if tries */
};

#define ITEM_ZERO                                                                                                      \
    {                                                                                                                  \
        .fd = -1, .file = FILE_ZERO, .log = STRALLOC_ZERO                                                              \
    }

/* "new", "wait", "hold", "bad" */
extern char const *item_word(enum item_state);

/* Opens and reads FOLDER/ID; the ID is kept. With prove also the checksum of a large message. The item may have been
 * used before. Returns 1; 0 if it is not there; -1 with errno, which proves nothing against the file. */
extern int item_open(struct item *, char const *folder, enum item_state, char const *id, int prove);

/* Reads it again: under the lock nobody else changes it. Returns 1, or 0 with errno. */
extern int item_read(struct item *, int prove);

/* Closes the file; its memory serves the next one. */
extern void item_close(struct item *);

extern void item_free(struct item *);

/* 1 if a file without a right header may be one that is being copied here. */
extern int item_young(struct item const *, uint64_t now);

/* 1 if that status byte leaves something to do. */
extern int item_open_status(char status);

/* The part behind an address's last @, empty if it has none. */
extern struct bytes item_domain(struct bytes address);

#endif
