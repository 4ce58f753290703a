#ifndef PNEU_LOCAL_SANDBOX_H
#define PNEU_LOCAL_SANDBOX_H

/* Confines pneu-local to files below that folder and to Unix sockets (the
 * queue's). Returns 1, or 0 with errno. */
extern int local_confine(char const *folder);

#endif
