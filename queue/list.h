/* What pneu-list and pneu-show print of a queue file: lines for people and awk, or JSON. */

#ifndef PNEU_QUEUE_LIST_H
#define PNEU_QUEUE_LIST_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "queue/item.h"

/* Appends "ID STATE AGE SIZE TRIES NEXT DONE/ALL <SENDER> LAST\n", or "ID STATE - SIZE - - - - damaged: WHY\n". Age and next are in
 * seconds from now. Returns 1, or 0 with ENOMEM. */
extern int list_line(stralloc *to, struct item const *, uint64_t now);

/* Appends "  STATUS <RECIPIENT>\n" each, and "  why TEXT\n" if a held file has a reason, or settings hold it. Returns 1, or 0 with
 * ENOMEM. */
extern int list_recipients(stralloc *to, struct item const *);

/* Appends "control/NAME", with ", " between them: the settings that hold it. Returns 1, or 0 with ENOMEM. */
extern int list_held(stralloc *to, struct item const *);

/* Appends one object and "\n"; with `history` also what the log says. Returns 1, or 0 with ENOMEM. */
extern int list_json(stralloc *to, struct item const *, uint64_t now, int history);

/* Appends what the log keeps escaped already, whatever else it holds made printable. Returns 1, or 0 with ENOMEM. */
extern int list_printable(stralloc *to, struct bytes text);

/* todo, done, failed, bounced */
extern char const *list_status(char status);

/* Seconds from now until the next attempt of a message that waits, 0 if it is due. */
extern uint64_t list_next(struct item const *, uint64_t now);

/* ---- the summary by domain ---- */

struct list_domain {
    struct list_domain *next; /* in the hash chain */
    uint64_t recipients, messages, bytes;
    uint64_t oldest;  /* arrival */
    uint64_t soonest; /* next attempt; UINT64_MAX: all are held */
    uint64_t last;    /* number of the message counted last, to count each once */
    stralloc reply;   /* the last reply of the message tried last */
    uint64_t replied;
    size_t len;
    char name[];
};

#define LIST_CHAINS 4096

struct list_summary {
    struct list_domain *chains[LIST_CHAINS];
    size_t domains;
    uint64_t recipients, messages, bytes, damaged;
};

/* Counts the recipients of that file that are not done. Returns 1, or 0 with ENOMEM. */
extern int list_count(struct list_summary *, struct item const *, uint64_t now);

/* Appends a line "RECIPIENTS MESSAGES BYTES OLDEST NEXT DOMAIN LAST\n" a domain, most recipients first, or a JSON object.
 * Returns 1, or 0 with ENOMEM. */
extern int list_summary(stralloc *to, struct list_summary const *, uint64_t now, int json);

/* Confines what only looks at the queue. Returns 1, or 0 with errno. */
extern int list_confine(void);

#endif
