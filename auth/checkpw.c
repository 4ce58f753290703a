#include "auth/checkpw.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>
#include <skalibs/strerr.h>

#include "lib/confine.h"

/* yescrypt as passwordmake asks for it, of nobody's password. */
static char const dummy[] = "$y$j9T$TwnkV0f3CrA4dtRjvWnuE0$";

int
checkpw_confine(void)
{
    static struct confine_path const paths[] = {{"users", CONFINE_PATH_READ}};
    static struct confine const c = {
        .may = CONFINE_READ,
        .paths = paths,
        .npaths = 1,
        .as = 536870912, /* yescrypt takes as many megabytes as the hash says, and users/passwords is read whole */
        .nofile = 16,
        .fsize = CONFINE_SAME,
        .nproc = 0,
    };

    return confine(&c);
}

int
checkpw_scan(struct bytes three, struct bytes *login, char const **password)
{
    char const *end = three.len ? memchr(three.s, 0, three.len) : NULL;

    if (!end)
        return 0;
    *login = (struct bytes){three.s, (size_t)(end - three.s)};
    *password = end + 1;
    three.len -= login->len + 1;
    char const *stamp = three.len ? memchr(end + 1, 0, three.len) : NULL;
    return stamp && memchr(stamp + 1, 0, three.len - (size_t)(stamp + 1 - *password)) != NULL;
}

/* 1 if the hash is that of the password. Takes its time in every case. */
static int
fits(struct bytes hash, char const *password, struct crypt_data *work)
{
    char setting[CRYPT_OUTPUT_SIZE];
    char const *made;

    if (!hash.len || hash.len >= sizeof setting || *hash.s == '*')
        hash = (struct bytes){dummy, sizeof dummy - 1};
    memcpy(setting, hash.s, hash.len);
    setting[hash.len] = 0;
    made = crypt_rn(password, setting, work, sizeof *work);
    return made && strlen(made) == hash.len && secret_same(made, setting, hash.len);
}

static int
copy(char *to, size_t size, struct bytes from)
{
    if (from.len >= size)
        return 0;
    memcpy(to, from.s, from.len);
    to[from.len] = 0;
    return 1;
}

static int
may(struct bytes rights, char const *service)
{
    return service ? passwords_may(rights, service) : passwords_may(rights, "smtp") && passwords_may(rights, "pop3");
}

int
checkpw_try(struct bytes store, struct bytes login, char const *password, char const *service, struct checkpw *who)
{
    struct crypt_data *work = calloc(1, sizeof *work);
    unsigned int tried = 0;
    struct password p;
    int code = CHECKPW_NO;

    if (!work)
        return CHECKPW_LATER;
    while (code && tried < PASSWORDS_EACH_MAX && passwords_find(&store, login, &p)) {
        tried++;
        if (fits(p.hash, password, work) && may(p.rights, service) &&
            copy(who->mailbox, sizeof who->mailbox, p.mailbox) && copy(who->name, sizeof who->name, p.name) &&
            copy(who->rights, sizeof who->rights, p.rights))
            code = 0;
    }
    if (!tried)
        (void)fits((struct bytes){0}, password, work);
    explicit_bzero(work, sizeof *work);
    free(work);
    return code;
}

/* The child: never returns. Its first foreign byte comes after confine. */
static void
child(int three, char const *service, int to)
{
    char text[CHECKPW_THREE_MAX];
    stralloc store = STRALLOC_ZERO;
    struct checkpw who;
    struct bytes login;
    char const *password;
    size_t len;
    int code;

    if (!checkpw_confine()) {
        strerr_warnwusys("confine myself");
        _exit(CHECKPW_LATER);
    }
    errno = 0;
    len = allread(three, text, sizeof text);
    if (len < sizeof text && errno && errno != EPIPE)
        _exit(CHECKPW_LATER);
    if (!checkpw_scan((struct bytes){text, len}, &login, &password))
        _exit(CHECKPW_MISUSE);
    if (passwords_read(PASSWORDS, &store) == -1) {
        strerr_warnwu2sys("read ", PASSWORDS);
        _exit(CHECKPW_LATER);
    }
    memset(&who, 0, sizeof who);
    code = checkpw_try((struct bytes){store.s, store.len}, login, password, service, &who);
    if (!code && allwrite(to, (char const *)&who, sizeof who) != sizeof who)
        code = CHECKPW_LATER;
    _exit(code);
}

/* What comes from the child is not believed to be ended by NUL. */
static int
sound(struct checkpw const *who)
{
    return who->mailbox[0] && memchr(who->mailbox, 0, sizeof who->mailbox) && memchr(who->name, 0, sizeof who->name) &&
           memchr(who->rights, 0, sizeof who->rights);
}

int
checkpw_ask(int three, char const *service, struct checkpw *who)
{
    int pair[2], status;
    size_t len;
    pid_t pid;

    if (fcntl(three, F_GETFD) == -1) /* before the pipe takes its place */
        return CHECKPW_MISUSE;
    if (pipe2(pair, O_CLOEXEC) == -1)
        return CHECKPW_LATER;
    pid = fork();
    if (pid == -1)
        return CHECKPW_LATER;
    if (!pid) {
        close(pair[0]);
        child(three, service, pair[1]);
    }
    close(pair[1]);
    close(three); /* who is run next shall not find it */
    len = allread(pair[0], (char *)who, sizeof *who);
    close(pair[0]);
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            return CHECKPW_LATER;
    if (!WIFEXITED(status))
        return CHECKPW_LATER;
    if (WEXITSTATUS(status))
        return WEXITSTATUS(status);
    return len == sizeof *who && sound(who) ? 0 : CHECKPW_LATER;
}
