/* Was a program replaced since? A sandbox that lets a file be executed means that file, not its name: after an upgrade
 * only a process that began later can start the new one. */

#ifndef PNEU_LIB_REPLACED_H
#define PNEU_LIB_REPLACED_H

#include <sys/stat.h>

struct replaced {
    dev_t dev;
    ino_t ino; /* 0: it was not there */
};

/* Remembers what the path is now. */
extern void replaced_mark(struct replaced *, char const *path);

/* 1 if the path is another file by now; 0 too if it is none at the moment, for an upgrade may be under way. */
extern int replaced_is(struct replaced const *, char const *path);

#endif
