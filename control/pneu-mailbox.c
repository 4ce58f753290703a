/* pneu-mailbox(8): add, delete and list the mailboxes of virtual users, and their passwords. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/askpassword.h"
#include "control/control.h"
#include "control/mailbox.h"
#include "control/passwords.h"
#include "lib/exits.h"

#define USAGE                                                                                                          \
    "pneu-mailbox [-q] add address... | del address... | list | passwd [-l] [-d name] [-n name] [-r rights] address"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

#define DEFAULT_NAME "main" /* of a password */

static void
say(char const *what, char const *which)
{
    strerr_warn(PROG, ": ", what, " ", which);
}

static void
die(struct operation const *op)
{
    int permanent = errno == ENOENT || errno == ENOTEMPTY || errno == EPROTO || errno == EINVAL || errno == EDQUOT;

    strerr_diefusys(permanent ? EXIT_PERM : EXIT_TEMP, op->why.len ? op->why.s : "remember what to do");
}

/* Splits and checks an address, or ends. */
static void
scan(char const *address, stralloc *user, stralloc *domain)
{
    if (mailbox_scan(address, user, domain))
        return;
    if (errno != EPROTO)
        strerr_diefusys(EXIT_TEMP, "read the address");
    strerr_dief(EXIT_PERM, "no address of a mailbox: ", address);
}

static void
tell_password(char const *what, char const *name, char const *mailbox)
{
    strerr_warn(PROG, ": ", what, name, " of ", mailbox);
}

static void
set_password(struct operation *op, char const *mailbox, char const *name, char const *rights,
             struct askpassword const *password)
{
    stralloc line = STRALLOC_ZERO;
    unsigned int methods;

    if (!passwordmake_methods(op, &methods) ||
        !passwordmake(op, &line, mailbox, name, rights, (struct bytes){password->s, password->len}, methods) ||
        !passwords_put(op, mailbox, name, &line))
        die(op);
    if (op->changed)
        tell_password("set the password ", name, mailbox);
}

static void
ask(char const *mailbox, struct askpassword *password)
{
    if (!askpassword(password, mailbox)) {
        if (errno == EINVAL)
            strerr_dief(EXIT_PERM, password->why);
        strerr_diefusys(EXIT_TEMP, "read the password");
    }
}

/* A new mailbox gets the password that is on descriptor 0; or, when nothing is, none. */
static void
first_password(struct operation *op, char const *mailbox)
{
    stralloc names = STRALLOC_ZERO;
    struct askpassword password;

    if (!passwords_list(op, mailbox, &names))
        die(op);
    if (names.len && isatty(0))
        return;
    ask(mailbox, &password);
    if (password.len)
        set_password(op, mailbox, DEFAULT_NAME, PASSWORDS_RIGHTS, &password);
}

static void
change(struct operation *op, int add, char const *address)
{
    stralloc user = STRALLOC_ZERO, domain = STRALLOC_ZERO, moved = STRALLOC_ZERO;

    scan(address, &user, &domain);
    if (!(add ? mailbox_add(op, user.s, domain.s) : mailbox_delete(op, user.s, domain.s, &moved)))
        die(op);
    if (moved.len && op->changed)
        op->changed("moved the mailbox to", moved.s);
    if (add && *user.s) {
        user.len--;
        if (!stralloc_append(&user, '@') || !stralloc_catb(&user, domain.s, domain.len))
            strerr_diefusys(EXIT_TEMP, "remember what to do");
        first_password(op, user.s);
    }
}

static void
put_lines(stralloc const *lines)
{
    for (size_t at = 0; at < lines->len; at += strlen(lines->s + at) + 1)
        puts(lines->s + at);
    if (fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
}

static void
list(struct operation *op)
{
    stralloc addresses = STRALLOC_ZERO;

    if (!mailbox_list(op, &addresses))
        die(op);
    put_lines(&addresses);
}

struct choice {
    int list;
    char const *revoke, *name, *rights;
};

static void
passwd(struct operation *op, struct choice const *c, char const *address)
{
    stralloc user = STRALLOC_ZERO, domain = STRALLOC_ZERO, names = STRALLOC_ZERO;
    struct askpassword password;
    unsigned int removed;

    scan(address, &user, &domain);
    if (!*user.s)
        strerr_dief(EXIT_PERM, "no address of a mailbox: ", address);
    user.len--;
    if (!stralloc_append(&user, '@') || !stralloc_catb(&user, domain.s, domain.len))
        strerr_diefusys(EXIT_TEMP, "remember what to do");
    if (c->list) {
        if (!passwords_list(op, user.s, &names))
            die(op);
        put_lines(&names);
    } else if (c->revoke) {
        if (!passwords_remove(op, user.s, c->revoke, &removed))
            die(op);
        if (!removed)
            strerr_dief(EXIT_PERM, user.s, " has no password of that name: ", c->revoke);
        if (op->changed)
            tell_password("removed the password ", c->revoke, user.s);
    } else {
        int there = mailbox_exists(user.s, domain.s);
        if (there == -1)
            strerr_diefusys(EXIT_TEMP, "look for the mailbox ", user.s);
        if (!there)
            strerr_dief(EXIT_PERM, "there is no such mailbox: ", user.s);
        ask(user.s, &password);
        if (!password.len)
            strerr_dief(EXIT_PERM, "a password cannot be empty");
        set_password(op, user.s, c->name, c->rights, &password);
    }
}

/* The options behind "passwd". Returns the address. */
static char const *
passwd_options(int argc, char const *const *argv, struct choice *c)
{
    subgetopt opts = SUBGETOPT_ZERO;

    for (int o; (o = subgetopt_r(argc, argv, "ld:n:r:", &opts)) != -1;) {
        if (o == 'l')
            c->list = 1;
        else if (o == 'd')
            c->revoke = opts.arg;
        else if (o == 'n' && !passwords_name(opts.arg))
            strerr_dief(EXIT_PERM, "no name of a password: ", opts.arg, "; it is of letters, digits, '.', '_' and '-'");
        else if (o == 'n')
            c->name = opts.arg;
        else if (o == 'r' && !passwords_rights(opts.arg))
            strerr_dief(EXIT_PERM, "no rights: ", opts.arg, "; there are smtp, pop3, and smtp,pop3");
        else if (o == 'r')
            c->rights = opts.arg;
        else
            dieusage();
    }
    if (!argv[opts.ind] || argv[opts.ind + 1] || (c->list && c->revoke))
        dieusage();
    return argv[opts.ind];
}

/* 1 if the words are one of the commands. */
static int
is_command(char const *const *argv)
{
    if (!argv[0])
        return 0;
    if (!strcmp(argv[0], "list"))
        return !argv[1];
    return argv[1] && (!strcmp(argv[0], "add") || !strcmp(argv[0], "del") || !strcmp(argv[0], "passwd"));
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    struct choice choice = {.name = DEFAULT_NAME, .rights = PASSWORDS_RIGHTS};
    char const *address = NULL;
    int quiet = 0;

    PROG = "pneu-mailbox";
    for (int o; (o = subgetopt_r(argc, argv, "q", &opts)) != -1; quiet = 1)
        if (o != 'q')
            dieusage();
    argv += opts.ind;
    if (!is_command(argv))
        dieusage();
    if (!strcmp(argv[0], "passwd"))
        address = passwd_options(argc - opts.ind, argv, &choice);
    (void)umask(022);
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!service_operation(&op))
        strerr_diefusys(EXIT_TEMP, op.why.s, " (pneu-instance makes an instance)");
    if (!quiet)
        op.changed = say;
    if (address)
        passwd(&op, &choice, address);
    else if (!strcmp(argv[0], "list"))
        list(&op);
    else
        for (char const *const *each = argv + 1; *each; each++)
            change(&op, !strcmp(argv[0], "add"), *each);
    return 0;
}
