#include "lib/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define ARCH AUDIT_ARCH_RISCV64
#endif

/* ---- rlimits ---- */

static int
limit(int what, uint64_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};

    return value == CONFINE_SAME || setrlimit(what, &r) == 0;
}

static int
limits(struct confine const *c)
{
    struct stat st;
    uint64_t fsize = c->fsize;

    if (fsize != CONFINE_SAME && fstat(2, &st) == 0 && S_ISREG(st.st_mode))
        fsize = CONFINE_SAME; /* it would stop the log, which is a file here */
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_AS, c->as) && limit(RLIMIT_NOFILE, c->nofile) &&
           limit(RLIMIT_FSIZE, fsize) && limit(RLIMIT_NPROC, c->nproc);
}

#ifndef PNEU_UNCONFINED

/* ---- landlock: the kernel's interface, as far as we use it, newer than
 * Debian's headers ---- */

struct ruleset_attr {
    uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_VERSION_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* version 2 */
    FS_TRUNCATE = 1 << 14,  /* version 3 */
    FS_IOCTL_DEV = 1 << 15, /* version 5 */
    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    NET_BIND_TCP = 1 << 0, /* version 4 */
    NET_CONNECT_TCP = 1 << 1,
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* version 6 */
    SCOPE_SIGNAL = 1 << 1,
    CREATE_VERSION = 1,
    RULE_PATH_BENEATH = 1,
};

static uint64_t
handled_by(long version)
{
    uint64_t all = FS_VERSION_1;

    if (version >= 2)
        all |= FS_REFER;
    if (version >= 3)
        all |= FS_TRUNCATE;
    if (version >= 5)
        all |= FS_IOCTL_DEV;
    return all;
}

static int
allow_path(int ruleset, struct confine_path const *p, uint64_t handled)
{
    struct path_beneath_attr rule = {.allowed_access = 0};
    struct stat st;
    int done;

    rule.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd == -1)
        return errno == ENOENT || errno == EACCES;
    if (p->rights & CONFINE_PATH_READ)
        rule.allowed_access |= FS_READ_FILE | FS_READ_DIR;
    if (p->rights & CONFINE_PATH_WRITE)
        rule.allowed_access |=
            FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER | FS_TRUNCATE;
    if (p->rights & CONFINE_PATH_EXEC)
        rule.allowed_access |= FS_EXECUTE | FS_READ_FILE;
    rule.allowed_access &= handled;
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= FS_OF_FILES;
    done = syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return done;
}

static int
landlock(struct confine const *c)
{
    long version = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    struct ruleset_attr all = {.handled_access_fs = 0};
    size_t size = sizeof all.handled_access_fs;
    int ruleset, done = 1;

    if (version < 1)
        return 1; /* this kernel has none */
    all.handled_access_fs = handled_by(version);
    if (version >= 4) {
        size += sizeof all.handled_access_net;
        all.handled_access_net = c->may & CONFINE_INET ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
    }
    if (version >= 6) {
        size += sizeof all.scoped;
        all.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    }
    ruleset = (int)syscall(__NR_landlock_create_ruleset, &all, size, 0);
    if (ruleset == -1)
        return 0;
    for (size_t i = 0; done && i < c->npaths; i++)
        done = allow_path(ruleset, c->paths + i, all.handled_access_fs);
    done = done && syscall(__NR_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return done;
}

/* ---- seccomp: a list of calls for each thing a program may do ---- */

#ifdef ARCH

static short const calls_always[] = {
#ifdef __NR_poll
    __NR_poll,
#endif
#ifdef __NR_dup2
    __NR_dup2,
#endif
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_pread64,
    __NR_close,
    __NR_close_range,
    __NR_exit,
    __NR_exit_group,
    __NR_rt_sigreturn,
    __NR_rt_sigprocmask,
    __NR_rt_sigaction,
    __NR_restart_syscall,
    __NR_brk,
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_ppoll,
    __NR_lseek,
    __NR_fstat,
    __NR_clock_gettime,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_gettimeofday,
    __NR_getrandom,
    __NR_getpid,
    __NR_getppid,
    __NR_gettid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_fcntl,
    __NR_futex,
    __NR_dup,
    __NR_dup3,
    __NR_umask,
    __NR_recvfrom,
    __NR_sendto,
    __NR_shutdown,
    __NR_getsockname,
    __NR_getpeername,
    __NR_getsockopt,
    __NR_setsockopt};

static short const calls_read[] = {
#ifdef __NR_stat
    __NR_stat,       __NR_lstat,   __NR_access,    __NR_readlink,
#endif
    __NR_newfstatat, __NR_statx,   __NR_faccessat, __NR_faccessat2, __NR_readlinkat, __NR_getdents64,
    __NR_statfs,     __NR_fstatfs, __NR_chdir,     __NR_fchdir,     __NR_getcwd};

static short const calls_write[] = {
#ifdef __NR_link
    __NR_link,      __NR_rename,    __NR_unlink,    __NR_mkdir,           __NR_rmdir,
#endif
    __NR_linkat,    __NR_renameat,  __NR_renameat2, __NR_unlinkat,        __NR_mkdirat, __NR_ftruncate,
    __NR_fallocate, __NR_utimensat, __NR_fchmod,    __NR_copy_file_range, __NR_sendfile};

static short const calls_sync[] = {__NR_fsync, __NR_fdatasync, __NR_sync_file_range, __NR_pwrite64};
static short const calls_connect[] = {__NR_connect};
static short const calls_inet[] = {__NR_sendmsg, __NR_recvmsg};
static short const calls_accept[] = {__NR_accept4};

/* What a static program does before its main stands here too, and what it needs
 * to confine itself. */
static short const calls_exec[] = {
#ifdef __NR_arch_prctl
    __NR_arch_prctl,
#endif
#ifdef __NR_readlink
    __NR_readlink,
#endif
    __NR_execve,
    __NR_set_tid_address,
    __NR_set_robust_list,
    __NR_rseq,
    __NR_prlimit64,
    __NR_readlinkat,
    __NR_newfstatat,
    __NR_prctl,
    __NR_seccomp,
    __NR_landlock_create_ruleset,
    __NR_landlock_add_rule,
    __NR_landlock_restrict_self};

static short const calls_fork[] = {
#ifdef __NR_fork
    __NR_fork,    __NR_vfork,  __NR_pipe,
#endif
    __NR_clone,   __NR_clone3, __NR_wait4,     __NR_waitid,          __NR_kill, __NR_pipe2, __NR_socketpair,
    __NR_setpgid, __NR_setsid, __NR_signalfd4, __NR_set_robust_list, __NR_rseq};

static short const calls_split[] = {
#ifdef __NR_fork
    __NR_fork,
#endif
    __NR_clone, __NR_socketpair, __NR_set_robust_list};

static short const calls_pass[] = {__NR_sendmsg, __NR_recvmsg, __NR_memfd_create, __NR_sendfile, __NR_socketpair};
static short const calls_lock[] = {__NR_flock};
static short const calls_less[] = {__NR_seccomp};

static struct {
    unsigned int may;
    short const *calls;
    size_t count;
} const groups[] = {
#define GROUP(may, list)                                                                                               \
    {                                                                                                                  \
        may, list, sizeof list / sizeof *list                                                                          \
    }
    GROUP(0, calls_always),
    GROUP(CONFINE_READ, calls_read),
    GROUP(CONFINE_WRITE, calls_write),
    GROUP(CONFINE_WRITE | CONFINE_SYNC, calls_sync),
    GROUP(CONFINE_UNIX | CONFINE_INET, calls_connect),
    GROUP(CONFINE_INET | CONFINE_PASS | CONFINE_HAND, calls_inet),
    GROUP(CONFINE_ACCEPT, calls_accept),
    GROUP(CONFINE_EXEC, calls_exec),
    GROUP(CONFINE_FORK, calls_fork),
    GROUP(CONFINE_SPLIT, calls_split),
    GROUP(CONFINE_PASS, calls_pass),
    GROUP(CONFINE_LOCK, calls_lock),
    GROUP(CONFINE_LESS, calls_less),
#undef GROUP
};

#define CODE_MAX 500
#define CALLS_MAX 200

struct code {
    size_t len;
    struct sock_filter at[CODE_MAX];
};

static void
emit(struct code *c, uint16_t op, uint32_t k, uint8_t yes, uint8_t no)
{
    if (c->len < CODE_MAX)
        c->at[c->len++] = (struct sock_filter){op, yes, no, k};
}

#define LOAD(field) BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field), 0, 0
#define RETURN(what) BPF_RET | BPF_K, what, 0, 0
#define DENY (SECCOMP_RET_ERRNO | EPERM)

/* That call only if no bit of `mask` is in its argument. */
static void
emit_without(struct code *c, uint32_t call, unsigned int argument, uint32_t mask)
{
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    emit(c, LOAD(args[argument]));
    emit(c, BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1);
    emit(c, RETURN(DENY));
    emit(c, RETURN(SECCOMP_RET_ALLOW));
}

static void
emit_socket(struct code *c, unsigned int may)
{
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 6);
    emit(c, LOAD(args[0]));
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, may & CONFINE_UNIX ? AF_UNIX : UINT32_MAX, 3, 0);
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, may & CONFINE_INET ? AF_INET : UINT32_MAX, 2, 0);
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, may & CONFINE_INET ? AF_INET6 : UINT32_MAX, 1, 0);
    emit(c, RETURN(DENY));
    emit(c, RETURN(SECCOMP_RET_ALLOW));
}

static int
ascending(void const *a, void const *b)
{
    return *(short const *)a - *(short const *)b;
}

static size_t
gather(unsigned int may, short calls[static CALLS_MAX])
{
    size_t n = 0;

    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t i = 0; i < groups[g].count && (!groups[g].may || may & groups[g].may); i++)
            if (n < CALLS_MAX)
                calls[n++] = groups[g].calls[i];
    qsort(calls, n, sizeof *calls, ascending);
    return n;
}

struct range {
    uint32_t first, last;
};

/* A tree of comparisons over ranges in order: the kernel walks the filter for every call there is when it takes it, so
 * that the depth counts at each start of a program. It is 6 for 50 ranges. */
static void
emit_ranges(struct code *c, struct range const *r, size_t n)
{
    size_t at = c->len;

    if (n <= 1) {
        emit(c, BPF_JMP | BPF_JGE | BPF_K, n ? r->first : UINT32_MAX, 0, 1);
        emit(c, BPF_JMP | BPF_JGT | BPF_K, n ? r->last : 0, 0, 1);
        emit(c, RETURN(DENY));
        emit(c, RETURN(SECCOMP_RET_ALLOW));
        return;
    }
    emit(c, BPF_JMP | BPF_JGE | BPF_K, r[n / 2].first, 0, 0);
    emit_ranges(c, r, n / 2);
    if (c->len - at - 1 > UINT8_MAX)
        c->len = CODE_MAX; /* too far for a jump: it fails as one that is too long */
    if (c->len < CODE_MAX)
        c->at[at].jt = (uint8_t)(c->len - at - 1);
    emit_ranges(c, r + n / 2, n - n / 2);
}

static void
emit_calls(struct code *c, short const *calls, size_t n)
{
    struct range ranges[CALLS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (count && (uint32_t)calls[i] <= ranges[count - 1].last + 1)
            ranges[count - 1].last = (uint32_t)calls[i];
        else
            ranges[count++] = (struct range){(uint32_t)calls[i], (uint32_t)calls[i]};
    emit_ranges(c, ranges, count);
}

static int
filter_calls(struct confine const *c)
{
    short calls[CALLS_MAX];
    struct code code = {.len = 0};
    /* Not O_ACCMODE: musl's has O_PATH in it, which a program that is confined once more opens its folders with. */
    uint32_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

    emit(&code, LOAD(arch));
    emit(&code, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    emit(&code, RETURN(SECCOMP_RET_KILL_PROCESS));
    emit(&code, LOAD(nr));
    emit_without(&code, __NR_mmap, 2, PROT_EXEC);
    emit_without(&code, __NR_mprotect, 2, PROT_EXEC);
    if (c->may & (CONFINE_UNIX | CONFINE_INET))
        emit_socket(&code, c->may);
    if (c->may & (CONFINE_READ | CONFINE_WRITE)) {
        uint32_t refused = c->may & CONFINE_WRITE ? 0 : writing;
        emit_without(&code, __NR_openat, 2, refused);
#ifdef __NR_open
        emit_without(&code, __NR_open, 1, refused);
#endif
    }
    emit_calls(&code, calls, gather(c->may, calls));
    if (code.len == CODE_MAX)
        return (errno = E2BIG, 0);
    struct sock_fprog program = {.len = (unsigned short)code.len, .filter = code.at};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 || errno == EINVAL;
}

/* 1 if that call belongs to something that is kept, too. */
static int
is_kept(short call, unsigned int keep)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t i = 0; groups[g].may & keep && i < groups[g].count; i++)
            if (groups[g].calls[i] == call)
                return 1;
    return 0;
}

int
confine_less(unsigned int may, unsigned int keep)
{
    short calls[CALLS_MAX];
    struct code code = {.len = 0};
    size_t n = 0;

    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        if (groups[g].may && !(groups[g].may & ~may))
            for (size_t i = 0; i < groups[g].count && n < CALLS_MAX; i++)
                if (!is_kept(groups[g].calls[i], keep))
                    calls[n++] = groups[g].calls[i];
    emit(&code, LOAD(arch));
    emit(&code, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    emit(&code, RETURN(SECCOMP_RET_KILL_PROCESS));
    emit(&code, LOAD(nr));
    for (size_t i = 0; i < n; i++) {
        emit(&code, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
        emit(&code, RETURN(DENY));
    }
    emit(&code, RETURN(SECCOMP_RET_ALLOW));
    struct sock_fprog program = {.len = (unsigned short)code.len, .filter = code.at};
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 || errno == EINVAL || errno == ENOSYS;
}

#else

static int
filter_calls(struct confine const *c)
{
    (void)c;
    return 1;
}

int
confine_less(unsigned int may, unsigned int keep)
{
    (void)may, (void)keep;
    return 1;
}

#endif

int
confine(struct confine const *c)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limits(c) && landlock(c) && filter_calls(c);
}

int
confine_works(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != -1;
}

#else

int
confine(struct confine const *c)
{
    (void)limits;
    (void)c;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

int
confine_less(unsigned int may, unsigned int keep)
{
    (void)may, (void)keep;
    return 1;
}

int
confine_works(void)
{
    return 0;
}

#endif
