/* A process that will wait for long gives back the stack that its beginning has used: some pages a session, times ten thousand. */

#ifndef PNEU_LIB_UNSTACK_H
#define PNEU_LIB_UNSTACK_H

/* Frees what lies below the caller's frame; the contents are lost, as they are anyway. */
extern void unstack(void);

#endif
