/* What pneu-remote may still do when it meets strangers. */

#ifndef PNEU_REMOTE_SANDBOX_H
#define PNEU_REMOTE_SANDBOX_H

/* Returns 1, or 0 with errno. The working directory is $PNEU_HOME, the resolvers are known. */
extern int remote_confine(void);

#endif
