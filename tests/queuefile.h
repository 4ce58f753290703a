/* Queue files for tests of what changes them. The calls that change files are replaced here: each is written down in `trace`, and the
 * first that begins with what fail() says fails. So a test can see the order of steps, which is what a power cut meets. */

#ifndef PNEU_TESTS_QUEUEFILE_H
#define PNEU_TESTS_QUEUEFILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/crc.h"
#include "lib/musl.h"
#include "queue/envelope.h"
#include "queue/move.h"

static char const id[ID_SIZE] = "0660d04f07c5323c94550402bfaf";
static char const other_id[ID_SIZE] = "0660d04f07c5323c94550402bfb0";
#define NEW "queue/new/0660d04f07c5323c94550402bfaf"
#define WAIT "queue/wait/af/0660d04f07c5323c94550402bfaf"
#define HOLD "queue/hold/0660d04f07c5323c94550402bfaf"
#define BAD "queue/bad/0660d04f07c5323c94550402bfaf"

/* ---- the calls ---- */

static char trace[4096];
static char const *failing;        /* the first step that begins so fails, */
static int failing_with;           /* with that, once, */
static unsigned int failing_after; /* after so many that may */
static struct file_header header;

/* "queue/wait/af/ID.why" becomes "wait/af/I.why", a temporary file's name ".new". */
static inline void
shorten(char *to, size_t size, char const *path)
{
    char const *at = strstr(path, "queue/");
    size_t len = 0;

    for (at = at ? at + 6 : path; *at && len + 1 < size; at++)
        if (!strncmp(at, id, ID_LEN) || !strncmp(at, other_id, ID_LEN)) {
            to[len++] = 'I';
            at += ID_LEN - 1;
        } else if (!strncmp(at, ".new.", 5)) {
            memcpy(to + len, ".new", 4);
            len += 4;
            break;
        } else
            to[len++] = *at;
    to[len] = 0;
}

/* Returns 0 if this step is to fail. */
static inline int
note(char const *what, char const *first, char const *between, char const *second)
{
    char a[100], b[100], step[300];
    size_t len = strlen(trace);

    shorten(a, sizeof a, first);
    shorten(b, sizeof b, second);
    snprintf(step, sizeof step, "%s%s%s%s", what, a, between, b);
    if (failing && !strncmp(step, failing, strlen(failing)) && !failing_after--) {
        failing = 0;
        errno = failing_with;
        return 0;
    }
    snprintf(trace + len, sizeof trace - len, "%s%s", len ? " " : "", step);
    return 1;
}

/* The path of an open file, "" if it is not open. */
static inline char const *
path_of(int fd)
{
    static char path[4096];
    char name[64];

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return path;
}

int
fsync(int fd)
{
    return note("~", path_of(fd), "", "") ? 0 : -1;
}

int
fdatasync(int fd)
{
    return note("~", path_of(fd), "", "") ? 0 : -1;
}

/* A file that is not yet named as a message must be locked before it is; with another the call is no step, but may fail. */
int
flock(int fd, int how)
{
    char const *path = path_of(fd);
    int step = strstr(path, "/.") || (failing && *failing == '!');

    return !step || note("!", path, "", "") ? (int)syscall(SYS_flock, fd, how) : -1;
}

int
link(char const *from, char const *to)
{
    return note("+", from, "=", to) ? (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

int
unlink(char const *path)
{
    struct stat st;

    if (lstat(path, &st) == -1) /* that it was not there is no step */
        return -1;
    return note("-", path, "", "") ? (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0) : -1;
}

int
rename(char const *from, char const *to)
{
    return note("", from, ">", to) ? (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

int
renameat2(int dir, char const *from, int other, char const *to, unsigned int flags)
{
    char const *how = flags == RENAME_EXCHANGE ? "<>" : flags == RENAME_NOREPLACE ? ">" : "?";

    return note("", from, how, to) ? (int)syscall(SYS_renameat2, dir, from, other, to, flags) : -1;
}

/* Header, body, status, log; of a file that is not yet named as a message: header, part. */
ssize_t
pwrite(int fd, void const *s, size_t len, off_t at)
{
    char const *where = at < file_status(&header) ? "body" : at < file_log(&header) ? "status" : "log";

    if (strstr(path_of(fd), "/."))
        where = "part";
    if (!at)
        where = "header";
    return note("w:", where, "", "") ? (ssize_t)syscall(SYS_pwrite64, fd, s, len, at) : -1;
}

static inline int
traced(char const *want)
{
    int same = !strcmp(trace, want);

    if (!same)
        printf("# %s\n# instead of\n# %s\n", trace, want);
    *trace = 0;
    return same;
}

static inline void
fail(char const *step, int e)
{
    failing = step;
    failing_with = e;
    failing_after = 0;
}

/* ---- files ---- */

static inline void
clean(void)
{
    static char const *const folders[] = {"queue/new", "queue/wait/af", "queue/wait/b0", "queue/hold", "queue/bad"};

    if (system("rm -rf queue other") != 0 || mkdir("queue", 0755) == -1 || mkdir("queue/wait", 0755) == -1)
        exit(111);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0755) == -1)
            exit(111);
    *trace = 0;
    failing = 0;
}

/* A queue file of three recipients: of joe's success and failure somebody wants to know, of ann's nothing, bob has no wish. */
static inline void
put(char const *path, char const *status, size_t message, char const *log)
{
    stralloc all = STRALLOC_ZERO, envelope = STRALLOC_ZERO;
    uint32_t n = (uint32_t)strlen(status);
    int fd;

    envelope_put(&envelope, "from", "a@x", 3);
    envelope_put(&envelope, "to", "joe@one.test", 12);
    envelope_put(&envelope, "notify", "SUCCESS,FAILURE", 15);
    envelope_put(&envelope, "orcpt", "rfc822;j", 8);
    envelope_put(&envelope, "to", "ann@two.test", 12);
    envelope_put(&envelope, "notify", "NEVER", 5);
    for (uint32_t i = 2; i < n; i++)
        envelope_put(&envelope, "to", "bob@three.test", 14);
    stralloc_readyplus(&all, FILE_HEADER + message);
    all.len = FILE_HEADER + message;
    for (size_t i = 0; i < message; i++)
        all.s[FILE_HEADER + i] = (char)('a' + i % 23);
    header = (struct file_header){.message = message,
                                  .envelope = (uint32_t)envelope.len,
                                  .recipients = n,
                                  .message_crc = crc32c(0, all.s + FILE_HEADER, message),
                                  .envelope_crc = crc32c(0, envelope.s, envelope.len)};
    file_header_fmt(all.s, &header);
    stralloc_catb(&all, envelope.s, envelope.len);
    stralloc_catb(&all, status, n);
    stralloc_cats(&all, log);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd == -1 || write(fd, all.s, all.len) != (ssize_t)all.len || close(fd) == -1)
        exit(111);
    stralloc_free(&all);
    stralloc_free(&envelope);
}

static inline void
text(char const *path, char const *s)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd == -1 || write(fd, s, strlen(s)) != (ssize_t)strlen(s) || close(fd) == -1)
        exit(111);
}

static inline int
there(char const *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static inline int
text_is(char const *path, char const *want)
{
    char s[1000] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, s, sizeof s - 1);

    close(fd);
    return n == (ssize_t)strlen(want) && !memcmp(s, want, (size_t)n);
}

/* The item of that state, opened and, if `lock`, locked. */
static inline struct item *
begin(enum item_state state, int lock)
{
    static struct item item = ITEM_ZERO;
    char folder[sizeof "queue/wait/XX"];

    item_close(&item);
    move_folder(folder, state, id);
    if (item_open(&item, folder, state, id, 0) != 1 || (lock && !move_lock(&item, 0)))
        exit(111);
    return &item;
}

/* How many descriptors are open: whoever leaves one open raises it. */
static inline int
open_files(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

/* No file may grow beyond that; 0: as it was. */
static inline void
limit(rlim_t most)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_FSIZE, &r) == -1)
        exit(111);
    r.rlim_cur = most ? most : r.rlim_max;
    if (setrlimit(RLIMIT_FSIZE, &r) == -1)
        exit(111);
}

/* Somebody else's lock on that path. */
static inline int
lock_of(char const *path)
{
    int fd = open(path, O_RDONLY);

    if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
        exit(111);
    return fd;
}

static char test_folder[] = "/tmp/pneu-queuefile.XXXXXX";

static inline void
begin_folder(void)
{
    if (!geteuid() && (setegid(65534) == -1 || seteuid(65534) == -1)) /* root may do all: nothing would fail */
        exit(111);
    umask(077);
    if (!mkdtemp(test_folder) || chdir(test_folder) == -1)
        exit(111);
}

static inline void
end_folder(void)
{
    char command[sizeof test_folder + 7];

    snprintf(command, sizeof command, "rm -rf %s", test_folder);
    if (chdir("/") == -1 || system(command) != 0)
        exit(111);
}

#endif
