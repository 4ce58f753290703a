/* The programs that change what lies in the queue are one program with several verbs: options, the walk, the lock, what is printed and the
 * exit code are here. */

#ifndef PNEU_OPERATOR_ACT_H
#define PNEU_OPERATOR_ACT_H

#include <stdint.h>

#include <skalibs/stralloc.h>

#include "queue/moves.h"
#include "queue/select.h"
#include "queue/walk.h"

#define ACT_FILTERS "[ -f from ] [ -t to ] [ -d domain ] [ -i id ] [ -a age ] [ -q folder ] [ id... ]"

struct act {
    struct select select;
    uint64_t now;
    char const *reason;                 /* -r, or NULL */
    char const *address;                /* what the verb's first argument is */
    char who[64];                       /* "the operator (uid 1000)" */
    int keep;                           /* -k */
    char const *problem;                /* with ACT_FAILED: what errno cannot say; else NULL */
    char why[ITEM_WHY_MAX];             /* stands beside what is moved; "": nothing */
    enum moved_how how;                 /* with ACT_MOVE */
    int written;                        /* with that: what was written, to be synced; -1: nothing */
    unsigned char unsynced[WALK_STEPS]; /* folders that messages were removed from */
};

/* ACT_MOVE: it is to be moved to the verb's folder, or synced or replaced where it is, together with others. */
enum act_result { ACT_FAILED = -1, ACT_NOTHING, ACT_DONE, ACT_MOVE };

struct act_verb {
    char const *usage;
    char const *options; /* its own, beside -n -w and the filters: of A r k */
    char const *past;    /* "held" */
    unsigned int states; /* bits 1 << ITEM_*: the folders where nothing else is asked for */
    int takes;           /* its first argument is an address */
    int hints;           /* pneu-send is told of each */
    enum item_state to;  /* of ACT_MOVE */
    int all;             /* means all without a filter: -A is asked of nobody */
    int busy;            /* that a message is being tried is what was wanted */
    /* On a locked item that fits. With ACT_FAILED errno says why. */
    enum act_result (*act)(struct act *, struct item *);
    /* Before the walk; NULL: nothing. Returns 1 if that was all. */
    int (*first)(struct act *);
};

/* A program's whole life behind PROG. Returns its exit code. */
extern int act_run(int argc, char const *const *argv, struct act_verb const *);

/* Tells pneu-send. */
extern void act_hint(char const *line);

#endif
