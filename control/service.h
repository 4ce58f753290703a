/* The service folders of an instance: service/NAME/run and service/NAME/log/run, made from the templates in
 * package/service (installed: share/pneu/service beside bin). In a template
 *   @bin@        is the folder of pneu's programs
 *   @name@       the service's name
 *   @as USER@    "s6-setuidgid USER", and nothing in an instance of an ordinary user
 *   @ids USER@   "-u UID -g GID", @groups USER@ "-G GID", likewise
 * The working directory is $PNEU_HOME. */

#ifndef PNEU_CONTROL_SERVICE_H
#define PNEU_CONTROL_SERVICE_H

#include <sys/types.h>

#include <skalibs/stralloc.h>

#define SERVICE_NAME_MAX 64

/* An instance being made or changed. */
struct operation {
    int root;     /* 1: an instance of root, whose daemons have users of their own */
    stralloc bin; /* folder of the programs, NUL-terminated */
    stralloc why; /* after a failure: what it was about, NUL-terminated; errno has the reason */
    void (*changed)(char const *what, char const *which); /* told about each change; may be 0 */
};

#define OPERATION_ZERO                                                                                                 \
    {                                                                                                                  \
        .bin = STRALLOC_ZERO, .why = STRALLOC_ZERO                                                                     \
    }

/* Finds out root and bin; the working directory is $PNEU_HOME, users/ids is there. Returns 1, or 0 with errno. */
extern int service_operation(struct operation *);

/* Notes what failed, keeps errno, returns 0. */
extern int service_failed(struct operation *, char const *what, char const *which);

/* Makes sure of a folder, or a file with that content. Owner and mode are mended, a file that differs is replaced
 * if `replace`. Return 1, or 0 as above. */
extern int service_folder(struct operation *, char const *path, mode_t mode, uid_t, gid_t);

/* Something at that path was removed: makes that durable and tells of it. Returns 1, or 0 with errno. */
extern int service_removed(struct operation *, char const *path);
extern int service_file(struct operation *, char const *path, char const *s, size_t len, mode_t mode, int replace);

/* Makes sure of service/NAME with its logger and log/NAME. Returns 1, or 0. */
extern int service_make(struct operation *, char const *name, char const *kind);

/* 1 if s6-svscan runs on service/. */
extern int service_running(void);

/* 1 if s6-supervise runs on service/NAME (or NAME/log). */
extern int service_supervised(char const *name);

/* 1 if that can be the name of a listener: letters, digits, '-' and '_', at most SERVICE_NAME_MAX, none of pneu's own. */
extern int service_name(char const *name);

/* s6-svscanctl FLAGS service, and s6-svc FLAGS service/NAME. Return 1, or 0. */
extern int service_scan(struct operation *, char const *flags);
extern int service_signal(struct operation *, char const *flags, char const *name);

/* The services every instance has. */
extern char const *const service_own[];

#endif
