/* pneu-cert(8): make, install and check the certificates of tls/. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>
#include <skalibs/types.h>

#include "control/control.h"
#include "lib/durable.h"
#include "lib/exits.h"
#include "tls/certificate.h"
#include "tls/keystore.h"

#define USAGE                                                                                                          \
    "pneu-cert [-qr] [-d days] new [name...] | csr name... | install name chain [key] | check [name...] | usable name"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

#define DAYS_NEW 3650
#define DAYS_CHECK 14

struct options {
    int quiet, rsa;
    unsigned int days;
};

static void
say(char const *what, char const *which)
{
    strerr_warn(PROG, ": ", what, " ", which);
}

static int
fail(struct operation const *op)
{
    strerr_warnwu1sys(op->why.len ? op->why.s : "go on");
    return errno == EPROTO || errno == ENOENT ? EXIT_PERM : EXIT_TEMP;
}

static int
print(stralloc const *text)
{
    if ((text->len && fwrite(text->s, 1, text->len, stdout) != text->len) || fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
    return 0;
}

static void
check_all_names(char const *const *names)
{
    for (; *names; names++)
        if (!certificate_name(*names))
            strerr_dief(EXIT_PERM, "no host name in lower case: ", *names);
}

static int
make_new(struct operation *op, struct options const *o, char const *const *names)
{
    stralloc me = STRALLOC_ZERO;
    char const *own[2] = {NULL, NULL};

    if (!*names) {
        if (control_line(SET_me, &me) != 1)
            strerr_diefusys(EXIT_TEMP, "read ", control_path(SET_me));
        own[0] = me.s;
        names = own;
    }
    check_all_names(names);
    return certificate_new(op, names, o->rsa, o->days ? o->days : DAYS_NEW) ? 0 : fail(op);
}

static int
request(struct operation *op, struct options const *o, char const *const *names)
{
    stralloc text = STRALLOC_ZERO;

    check_all_names(names);
    return certificate_request(op, names, o->rsa, &text) ? print(&text) : fail(op);
}

/* Before the folder is changed to the instance's: the files are named from where we were called. */
static void
slurp_file(stralloc *to, char const *path)
{
    if (!openslurpclose(to, path))
        strerr_diefusys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP, "read ", path);
}

/* A folder, or the default's link: other links are the same certificate again. */
static int
is_certificate(char const *name)
{
    char path[sizeof KEYSTORE_FOLDER + KEYWIRE_NAME_MAX + 2];
    struct stat st;

    if (!certificate_name(name))
        return 0;
    (void)snprintf(path, sizeof path, KEYSTORE_FOLDER "/%s", name);
    return lstat(path, &st) == 0 && (S_ISDIR(st.st_mode) || !strcmp(name, "default"));
}

static void
add_name(stralloc *list, char const *name)
{
    if (!stralloc_catb(list, name, strlen(name) + 1))
        strerr_diefusys(EXIT_TEMP, "remember names");
}

static int
check(struct operation *op, struct options const *o, char const *const *names)
{
    stralloc text = STRALLOC_ZERO, all = STRALLOC_ZERO, list = STRALLOC_ZERO;
    int worst = CERTIFICATE_GOOD;

    check_all_names(names);
    if (!*names && !durable_names(KEYSTORE_FOLDER, &all))
        strerr_diefusys(EXIT_TEMP, "read ", KEYSTORE_FOLDER);
    for (char const *s = all.s; all.len && s < all.s + all.len; s += strlen(s) + 1)
        if (is_certificate(s))
            add_name(&list, s);
    for (; *names; names++)
        add_name(&list, *names);
    if (!list.len)
        strerr_dief(EXIT_PERM, "there is no certificate");
    for (char const *s = list.s; s < list.s + list.len; s += strlen(s) + 1) {
        int got = certificate_check(op, s, o->days ? o->days : DAYS_CHECK, &text);
        if (got == -1)
            return fail(op);
        worst = got > worst ? got : worst;
    }
    if (!o->quiet)
        print(&text);
    return worst == CERTIFICATE_UNUSABLE ? EXIT_PERM : worst;
}

static int
usable(struct options const *o, char const *name)
{
    char const *why;

    if (!certificate_name(name))
        strerr_dief(EXIT_PERM, "no host name in lower case: ", name);
    if (certificate_usable(name, &why) == CERTIFICATE_GOOD)
        return 0;
    if (!o->quiet)
        strerr_warn(PROG, ": " KEYSTORE_FOLDER "/", name, ": ", why);
    return EXIT_PERM;
}

int
main(int argc, char const *const *argv)
{
    subgetopt opts = SUBGETOPT_ZERO;
    struct operation op = OPERATION_ZERO;
    struct options o = {0};
    stralloc chain = STRALLOC_ZERO, key = STRALLOC_ZERO;

    PROG = "pneu-cert";
    for (int c; (c = subgetopt_r(argc, argv, "qrd:", &opts)) != -1;)
        if (c == 'q')
            o.quiet = 1;
        else if (c == 'r')
            o.rsa = 1;
        else if (c != 'd' || !uint0_scan(opts.arg, &o.days) || !o.days || o.days > 36500)
            dieusage();
    argv += opts.ind;
    argc -= opts.ind;
    if (argc < 1)
        dieusage();
    int installing = !strcmp(argv[0], "install");
    if (installing && (argc == 3 || argc == 4)) {
        slurp_file(&chain, argv[2]);
        if (argc == 4)
            slurp_file(&key, argv[3]);
    }
    (void)umask(022);
    if (!control_home())
        strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
    if (!strcmp(argv[0], "usable") && argc == 2)
        return usable(&o, argv[1]);
    if (!service_operation(&op))
        strerr_diefusys(EXIT_TEMP, op.why.s, " (pneu-instance makes an instance)");
    if (!o.quiet)
        op.changed = say;
    if (!strcmp(argv[0], "new"))
        return make_new(&op, &o, argv + 1);
    if (!strcmp(argv[0], "csr") && argc > 1)
        return request(&op, &o, argv + 1);
    if (!strcmp(argv[0], "check"))
        return check(&op, &o, argv + 1);
    if (!installing || (argc != 3 && argc != 4))
        dieusage();
    check_all_names((char const *const[]){argv[1], NULL});
    return certificate_install(&op, argv[1], &chain, argc == 4 ? &key : NULL) ? 0 : fail(&op);
}
