/* pneu-control(8): show, check and write the settings. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>

#include "control/control.h"
#include "control/listener.h"
#include "control/operate.h"
#include "control/service.h"
#include "lib/durable.h"
#include "lib/exits.h"

#define USAGE                                                                                                          \
    "pneu-control [-s server | -r remote | -d domain] show | check | get name | set name [value...] | unset name | "   \
    "doc -m"
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

static void
print(stralloc const *text)
{
    if ((text->len && fwrite(text->s, 1, text->len, stdout) != text->len) || fflush(stdout))
        strerr_diefusys(EXIT_TEMP, "write");
}

static enum setting
named(char const *name)
{
    enum setting which = name ? control_named(name) : SET_count;

    if (!name)
        dieusage();
    if (which == SET_count)
        strerr_dief(EXIT_PERM, "no such setting: ", name, "; pneu-control show lists them");
    return which;
}

/* ---- verbs ---- */

static int
show(struct place const *place, char const *const *argv)
{
    stralloc text = STRALLOC_ZERO;

    (void)place;
    if (*argv)
        dieusage();
    if (!operate_show(&text))
        strerr_diefusys(EXIT_TEMP, "read the settings");
    print(&text);
    return 0;
}

static int
check(struct place const *place, char const *const *argv)
{
    stralloc text = STRALLOC_ZERO;
    int mistakes;

    (void)place;
    if (*argv)
        dieusage();
    mistakes = operate_check(&text);
    if (mistakes == -1)
        strerr_diefusys(EXIT_TEMP, "read the settings");
    print(&text);
    return mistakes ? EXIT_PERM : 0;
}

/* What a program would see, an item a line. */
static int
get(struct place const *place, char const *const *argv)
{
    enum setting which = named(argv[0]);
    struct setting_row const *row = control_rows + which;
    char const *domain = place->scope == SCOPE_REMOTE || place->scope == SCOPE_DOMAIN ? place->who : 0;
    stralloc text = STRALLOC_ZERO;
    uint32_t number;
    int got;

    if (argv[1])
        dieusage();
    if (place->scope == SCOPE_SERVER && setenv("PNEU_SERVER", place->who, 1) == -1)
        strerr_diefusys(EXIT_TEMP, "set PNEU_SERVER");
    if (control_isnumber(which)) {
        if (!control_uint_of(which, domain, &number))
            strerr_diefusys(EXIT_TEMP, "read ", control_path(which));
        printf("%u\n", (unsigned int)number);
        return fflush(stdout) ? EXIT_TEMP : 0;
    }
    got = row->type == SETTING_LINE || row->type == SETTING_RATE ? control_line_of(which, domain, &text)
                                                                 : control_list_of(which, domain, &text);
    if (got == -1)
        strerr_diefusys(EXIT_TEMP, "read ", control_path(which));
    if (!got)
        strerr_dief(EXIT_PERM, "no value: ", row->name);
    if ((row->type == SETTING_LINE || row->type == SETTING_RATE) && !stralloc_0(&text))
        strerr_diefusys(EXIT_TEMP, "read ", control_path(which));
    for (size_t i = 0; i < text.len; i++)
        if (!text.s[i])
            text.s[i] = '\n';
    print(&text);
    return 0;
}

/* Listeners take some settings only when they start; their open connections go on. */
static void
restart_listeners(struct place const *place, enum setting which)
{
    struct operation op = OPERATION_ZERO;
    stralloc names = STRALLOC_ZERO;

    if (which != SET_listen && which != SET_maxconn && which != SET_maxconnperip && which != SET_proxyfrom &&
        which != SET_xclientfrom && which != SET_rdns && which != SET_forking)
        return;
    if (place->scope == SCOPE_SERVER) {
        if (service_supervised(place->who) && !service_signal(&op, "-t", place->who))
            strerr_diefusys(EXIT_TEMP, op.why.s);
        return;
    }
    if (!durable_names("control/servers", &names))
        return;
    for (char const *name = names.s; names.len && name < names.s + names.len; name += strlen(name) + 1)
        if (service_supervised(name) && !service_signal(&op, "-t", name))
            strerr_diefusys(EXIT_TEMP, op.why.s);
}

/* The values: from the command line, or a line each from descriptor 0. */
static void
values(char const *const *argv, stralloc *items)
{
    for (; *argv; argv++)
        if (!stralloc_catb(items, *argv, strlen(*argv) + 1))
            strerr_diefusys(EXIT_TEMP, "remember the values");
    if (items->len)
        return;
    if (!slurp(items, 0))
        strerr_diefusys(EXIT_TEMP, "read the values");
    if (items->len && memchr(items->s, 0, items->len))
        strerr_dief(EXIT_PERM, "no value holds a NUL");
    if (items->len && items->s[items->len - 1] != '\n' && !stralloc_append(items, '\n'))
        strerr_diefusys(EXIT_TEMP, "remember the values");
    for (size_t i = 0; i < items->len; i++)
        if (items->s[i] == '\n')
            items->s[i] = 0;
}

static int
set(struct place const *place, char const *const *argv)
{
    enum setting which = named(argv[0]);
    struct setting_row const *row = control_rows + which;
    static char const *const where[] = {
        [SCOPE_GLOBAL] = "it is the whole instance's",
        [SCOPE_SERVER] = "it is the whole instance's, or with -s a listener's",
        [SCOPE_REMOTE] = "it is the whole instance's, or with -r a remote domain's",
        [SCOPE_DOMAIN] = "it is the whole instance's, or with -d a mailbox domain's",
    };
    stralloc items = STRALLOC_ZERO, what = STRALLOC_ZERO;

    values(argv + 1, &items);
    if (!operate_set(place, which, &items)) {
        if (errno == EPROTO && operate_expected(which, &what))
            strerr_dief(EXIT_PERM, row->name, " ", what.s);
        if (errno == EINVAL)
            strerr_dief(EXIT_PERM, row->name, " does not count there: ", where[row->scope]);
        if (errno == ENOENT && place->who)
            strerr_dief(EXIT_PERM, "there is no mailbox domain ", place->who, "; pneu-mailbox makes one");
        strerr_diefusys(EXIT_TEMP, "write ", row->name);
    }
    restart_listeners(place, which);
    return 0;
}

static int
unset(struct place const *place, char const *const *argv)
{
    enum setting which = named(argv[0]);

    if (argv[1])
        dieusage();
    if (!operate_unset(place, which) && errno != ENOENT)
        strerr_diefusys(EXIT_TEMP, "remove ", control_rows[which].name);
    restart_listeners(place, which);
    return 0;
}

static int
doc(struct place const *place, char const *const *argv)
{
    stralloc text = STRALLOC_ZERO;

    (void)place;
    if (!argv[0] || strcmp(argv[0], "-m") || argv[1])
        dieusage();
    if (!operate_doc(&text))
        strerr_diefusys(EXIT_TEMP, "print the table");
    print(&text);
    return 0;
}

static struct {
    char const *name;
    int (*run)(struct place const *, char const *const *argv);
    int home; /* it needs an instance */
} const verbs[] = {
    {"show", show, 1}, {"check", check, 1}, {"get", get, 1}, {"set", set, 1}, {"unset", unset, 1}, {"doc", doc, 0},
};

int
main(int argc, char const *const *argv)
{
    static char const letters[] = "srd";
    static enum setting_scope const scopes[] = {SCOPE_SERVER, SCOPE_REMOTE, SCOPE_DOMAIN};
    subgetopt opts = SUBGETOPT_ZERO;
    struct place place = {.scope = SCOPE_GLOBAL};

    PROG = "pneu-control";
    for (int o; (o = subgetopt_r(argc, argv, "s:r:d:", &opts)) != -1;) {
        char const *letter = strchr(letters, o);
        if (!letter || place.who)
            dieusage();
        place = (struct place){.scope = scopes[letter - letters], .who = opts.arg};
    }
    argv += opts.ind;
    if (!argv[0])
        dieusage();
    (void)umask(022);
    for (unsigned int i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(argv[0], verbs[i].name)) {
            if (verbs[i].home && !control_home())
                strerr_diefusys(EXIT_TEMP, "change into the instance ", control_homename());
            if (verbs[i].home && place.scope == SCOPE_SERVER && !listener_is(place.who))
                strerr_dief(EXIT_PERM, "there is no listener ", place.who, "; pneu-server list shows them");
            return verbs[i].run(&place, argv + 1);
        }
    dieusage();
}
