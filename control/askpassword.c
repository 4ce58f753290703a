#include "control/askpassword.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <skalibs/allreadwrite.h>

/* A byte at a time: what follows belongs to whoever reads on. Returns 1, or 0 with errno. */
static int
read_line(struct askpassword *p)
{
    char c = 0;

    p->len = 0;
    for (;;) {
        ssize_t n = fd_read(0, &c, 1);
        if (n == -1 && errno != EPIPE)
            return 0;
        if (n <= 0 || c == '\n')
            break;
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            p->why = "a password holds no control characters";
            return (errno = EINVAL, 0);
        }
        if (p->len == sizeof p->s) {
            p->why = "the password is too long";
            return (errno = EINVAL, 0);
        }
        p->s[p->len++] = c;
    }
    return 1;
}

static void
say(char const *text)
{
    (void)!write(2, text, strlen(text));
}

static int
prompt(char const *before, char const *who, struct askpassword *p)
{
    say(before);
    say(who);
    say(": ");
    int good = read_line(p);
    say("\n");
    return good;
}

static int
ask_twice(struct askpassword *p, char const *who)
{
    struct askpassword again;
    int good = prompt("New password of ", who, p);

    if (!good || !p->len)
        return good;
    good = prompt("Once more, the password of ", who, &again);
    if (good && (again.len != p->len || memcmp(again.s, p->s, p->len) != 0)) {
        p->why = "the two passwords differ";
        errno = EINVAL;
        good = 0;
    } else if (!good)
        p->why = again.why;
    explicit_bzero(again.s, sizeof again.s);
    return good;
}

int
askpassword(struct askpassword *p, char const *who)
{
    struct termios old, silent;
    sigset_t block, before;

    p->len = 0;
    if (!isatty(0))
        return read_line(p);
    if (tcgetattr(0, &old) == -1)
        return 0;
    /* ^C waits until the terminal shows again what is typed. */
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGQUIT);
    sigaddset(&block, SIGTSTP);
    sigprocmask(SIG_BLOCK, &block, &before);
    silent = old;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    int good = tcsetattr(0, TCSAFLUSH, &silent) == 0 && ask_twice(p, who);
    int e = errno;
    (void)tcsetattr(0, TCSAFLUSH, &old);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = e;
    return good;
}
