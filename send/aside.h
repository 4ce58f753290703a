/* Files that are set aside: into bad/ or hold/, with the reason in ID.why beside them. */

#ifndef PNEU_SEND_ASIDE_H
#define PNEU_SEND_ASIDE_H

/* Returns 1; 0 if it is not there any more; -1 with errno. Never replaces anything. Said in the log. */
extern int aside(char const *path, char const *folder, char const *id, char const *why);

#endif
