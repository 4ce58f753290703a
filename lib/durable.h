/* Files and folders that are there, whole, after a power cut: each change is fsynced, and then the folder that names it.
 * For settings, tables and mailboxes; queued messages have rules of their own (queue/file.h). */

#ifndef PNEU_LIB_DURABLE_H
#define PNEU_LIB_DURABLE_H

#include <stddef.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

/* fsync of an open folder. On an xfs that has shut itself down, for its journal could not be written, that says yes to a name
 * which is not on disk; but stat does not work there any more. Returns 1, or 0 with errno. */
extern int durable_syncfd(int folder);

/* The same for the folder of that path. */
extern int durable_sync(char const *folder);

/* And for the one a path lies in. */
extern int durable_syncparent(char const *path);

/* Makes the file, or replaces it: at every moment there is the old or the new one, whole. The new one gets that
 * mode whatever the umask. Beside it a file whose name begins with ".new." exists for a moment. If when is not 0, it is the
 * file's mtime. Returns 1, or 0 with errno. */
extern int durable_write(char const *path, char const *s, size_t len, mode_t mode, struct timespec const *when);

/* The same for a file that is somebody's, from its first moment under that name on. */
extern int durable_writeas(char const *path, char const *s, size_t len, mode_t mode, uid_t uid, gid_t gid);

/* Makes a folder. Returns 1 made, 0 it was there, -1 with errno. */
extern int durable_mkdir(char const *path, mode_t mode);

/* Makes a folder, or finds it, and opens it. For root, who makes folders in those of other users: there no symbolic link is
 * followed, on no part of the way (ENOTDIR). Returns a descriptor, *made says whether it was not there; -1 with errno. The
 * second form does not sync the parent. */
extern int durable_folder(char const *path, mode_t mode, int *made);
extern int durable_folderat(int parent, char const *name, mode_t mode, int *made);

/* unlink and rename, and then the folders. A name that is not there is ENOENT; rename never replaces (EEXIST).
 * Return 1, or 0 with errno. */
extern int durable_unlink(char const *path);
extern int durable_rename(char const *from, char const *to);

/* The names in a folder, sorted, each ended by NUL; "." and ".." left out.
 * Returns 1, or 0 with errno. */
extern int durable_names(char const *folder, stralloc *names);

#endif
