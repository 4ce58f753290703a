/* How the operator's programs begin. What goes wrong ends the program, with a line. */

#ifndef PNEU_OPERATOR_START_H
#define PNEU_OPERATOR_START_H

#include "queue/select.h"

/* An option of SELECT_OPTIONS. Returns 1, or 0 if it is none. */
extern int start_filter(struct select *, int option, char const *arg);

/* The IDs behind the options. */
extern void start_ids(struct select *, char const *const *argv);

/* Into the instance, as the queue's owner, confined by this (1, or 0 with errno). */
extern void start_inside(int (*confine)(void));

#endif
