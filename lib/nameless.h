/* A message on its way through programs: a file without a name, on disk, since a message may be larger than memory. */

#ifndef PNEU_LIB_NAMELESS_H
#define PNEU_LIB_NAMELESS_H

/* Makes one in $TMPDIR, or /tmp; open for reading and writing, O_CLOEXEC. Returns -1 with errno. */
extern int nameless_open(void);

/* Opens the file anew as descriptor `to`, for reading and from its beginning: so no program can write to it, or move
 * another's offset. `to` is inherited. Returns 1, or 0 with errno. */
extern int nameless_reopen(int fd, int to);

#endif
