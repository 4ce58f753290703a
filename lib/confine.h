/* The sandbox: rlimits, landlock, seccomp, before the first foreign byte (rule
 * 6 of the design). A program says what it still needs; everything else fails
 * with EPERM or EACCES. */

#ifndef PNEU_LIB_CONFINE_H
#define PNEU_LIB_CONFINE_H

#include <stddef.h>
#include <stdint.h>

/* What it may still do, beside reading and writing open descriptors, memory,
 * time, random and exit. */
#define CONFINE_READ                                                                                                   \
    (1u << 0) /* open files for reading, stat, read folders   \
                                */
#define CONFINE_WRITE                                                                                                  \
    (1u << 1)                    /* open for writing and make files, link, rename, unlink, mkdir, \
                 fsync, change times and modes */
#define CONFINE_UNIX (1u << 2)   /* connect to Unix sockets */
#define CONFINE_INET (1u << 3)   /* connect to, or ask, other hosts */
#define CONFINE_ACCEPT (1u << 4) /* take connections from a listening descriptor */
#define CONFINE_EXEC (1u << 5)   /* replace itself by another program */
#define CONFINE_FORK (1u << 6)   /* start processes, wait for them and signal them */
#define CONFINE_PASS (1u << 7)   /* send and receive descriptors (sendmsg, recvmsg); memfd */
#define CONFINE_LOCK (1u << 8)   /* flock */
#define CONFINE_SYNC (1u << 9)   /* fsync, fdatasync, sync_file_range and pwrite alone */
#define CONFINE_LESS (1u << 10)  /* call confine_less */
#define CONFINE_SPLIT (1u << 11) /* become two: fork and socketpair, without signals or waiting */
#define CONFINE_HAND (1u << 12)  /* send and receive descriptors alone */

/* Rights on one folder or file (landlock); whatever no row names cannot be
 * opened. */
#define CONFINE_PATH_READ 1u
#define CONFINE_PATH_WRITE 2u /* make, write, link, rename, remove below it */
#define CONFINE_PATH_EXEC 4u

struct confine_path {
    char const *path; /* one that does not exist is passed over */
    unsigned int rights;
};

#define CONFINE_SAME ((uint64_t)-1) /* leave that limit as it is */

struct confine {
    unsigned int may; /* CONFINE_* */
    struct confine_path const *paths;
    size_t npaths;
    uint64_t as, nofile, fsize, nproc; /* rlimits; core is always 0; fsize is
                                          left alone where stderr is a file */
};

/* Confines this process and all it starts, for good. On a kernel without
 * landlock or seccomp what there is is done. In builds for sanitizers only
 * no_new_privs is set. Returns 1, or 0 with errno. */
extern int confine(struct confine const *);

/* Takes some of what confine allowed away from a forked child: system calls alone, folders stay. Cheap: a tenth of confine.
 * Returns 1, or 0 with errno. */
extern int confine_less(unsigned int may, unsigned int keep);

/* 1 if this build and kernel confine system calls; the tests ask. */
extern int confine_works(void);

#endif
