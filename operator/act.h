/* The programs that change what lies in the queue are one program with several verbs: options, the walk, the lock, what is printed and the
 * exit code are here. */

#ifndef PNEU_OPERATOR_ACT_H
#define PNEU_OPERATOR_ACT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "queue/item.h"
#include "queue/select.h"

#define ACT_FILTERS "[ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

struct act {
    struct select select;
    uint64_t now;
    char const *reason;                    /* -r, or NULL */
    char const *address;                   /* what the verb's first argument is */
    char who[64];                          /* "the operator (uid 1000)" */
    int keep;                              /* -k */
    char const *problem;                   /* with ACT_FAILED: what errno cannot say; else NULL */
    char why[ITEM_WHY_MAX];                /* stands beside what is moved; "": nothing */
    char unsynced[sizeof "queue/wait/XX"]; /* the folder that messages were removed from; "": none */
};

/* ACT_MOVE: it is to be moved to the verb's folder, together with others. */
enum act_result { ACT_FAILED = -1, ACT_NOTHING, ACT_DONE, ACT_MOVE };

struct act_verb {
    char const *usage;
    char const *options; /* its own, beside -n -w and the filters: of A r k */
    char const *past;    /* "held" */
    unsigned int states; /* bits 1 << ITEM_*: the folders where nothing else is asked for */
    int takes;           /* its first argument is an address */
    int hints;           /* pneu-send is told of each */
    enum item_state to;  /* of ACT_MOVE */
    int busy;            /* that a message is being tried is what was wanted */
    /* On a locked item that fits. With ACT_FAILED errno says why. */
    enum act_result (*act)(struct act *, struct item *);
    /* Before the walk; NULL: nothing. Returns 1 if that was all. */
    int (*first)(struct act *);
};

/* A program's whole life behind PROG. Returns its exit code. */
extern int act_run(int argc, char const *const *argv, struct act_verb const *);

/* Syncs the folder that messages were removed from: before the next one's turn, and before anybody is told. Returns 1, or 0 with errno. */
extern int act_sync(struct act *);

/* Tells pneu-send. */
extern void act_hint(char const *line);

#endif
