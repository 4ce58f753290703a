/* pneu-access(8): let a client in or not, by its address and name. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/exec.h>
#include <skalibs/sgetopt.h>
#include <skalibs/strerr.h>

#include "access/admit.h"
#include "control/control.h"
#include "lib/exits.h"
#include "lib/log.h"
#include "lib/ucspi.h"

#define USAGE "pneu-access [-k] [-i dir | -x file.cdb] prog..."
#define dieusage() strerr_dieusage(EXIT_PERM, USAGE)

/* It cannot be known now who may come in. */
__attribute__((noreturn)) static void
later(char const *what, char const *which)
{
    int e = errno;

    refuse_client("421 4.3.0 I cannot find out who may connect", getenv("PNEU_KIND"));
    errno = e;
    strerr_diefusys(EXIT_TEMP, what, which);
}

__attribute__((noreturn)) static void
refuse(struct admit const *a, char const *reply)
{
    char text[IP_FMT], word[200];
    size_t len = strnlen(reply, sizeof word);
    struct log l;

    log_start(&l, "refused");
    log_bytes(&l, "client", text, a->has_ip ? ip_fmt(text, &a->ip) : 0);
    if (a->rdns.name[0])
        log_str(&l, "host", a->rdns.name);
    if (a->rules.rule.len)
        log_str(&l, "rule", a->rules.rule.s);
    for (size_t i = 0; i < len; i++)
        word[i] = reply[i] == ' ' ? '_' : reply[i];
    log_bytes(&l, "reply", word, len);
    log_end(&l);
    refuse_client(reply, getenv("PNEU_KIND"));
    _exit(*reply == '5' ? EXIT_PERM : EXIT_TEMP);
}

/* The rules that options name are kept for who asks again, behind XCLIENT. */
static void
keep_path(struct admit const *a)
{
    stralloc value = STRALLOC_ZERO;
    char *full = realpath(a->path, NULL);

    if (!full || !stralloc_cats(&value, a->cdb ? "x" : "i") || !stralloc_cats(&value, full) || !stralloc_0(&value) ||
        setenv("PNEU_ACCESS", value.s, 1) == -1)
        later("read ", a->path);
    free(full);
    stralloc_free(&value);
}

/* All that the settings say; the rules are found where no option names any. Returns the folder it was started in. */
static int
prepare(struct admit *a, int given)
{
    char const *which;
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (here == -1 || !control_home())
        later("change into the instance ", control_homename());
    if (!admit_settings(a, &which) || (!given && !admit_find(a, &which)))
        later("read ", which);
    if (given && fchdir(here) == -1)
        later("return to ", "the folder I was started in");
    if (a->path && !a->has_ip) {
        errno = ENOTCONN;
        later("find ", "the client's address");
    }
    return here;
}

static void
decide(struct admit *a)
{
    char reply[REFUSE_REPLY];

    if (a->path && !rules_ask(&a->rules, a->path, a->cdb, &a->ip, a->rdns.name[0] ? a->rdns.name : NULL))
        later("read ", a->path);
    if (!admit_tell(a))
        later("change ", "the environment");
    char const *refusal = admit_refusal(a, reply);
    if (refusal)
        refuse(a, refusal);
}

static void
run(struct admit *a, char const *const *argv)
{
    char const *script[] = {"execlineb", "-Pc", NULL, NULL};

    if (a->rules.exec.len) {
        if (!stralloc_0(&a->rules.exec))
            later("run ", "the program of the rule");
        script[2] = a->rules.exec.s;
        argv = script;
    }
    exec(argv);
    refuse_client("421 4.3.0 my program cannot be run", getenv("PNEU_KIND"));
    strerr_dieexec(EXIT_TEMP, *argv);
}

int
main(int argc, char const *const *argv)
{
    static struct admit a = ADMIT_ZERO;
    subgetopt opts = SUBGETOPT_ZERO;
    int known = 0;

    PROG = "pneu-access";
    for (int o; (o = subgetopt_r(argc, argv, "ki:x:", &opts)) != -1;)
        if (o == 'k')
            known = 1;
        else if ((o == 'i' || o == 'x') && !a.path) {
            a.path = opts.arg;
            a.cdb = o == 'x';
        } else
            dieusage();
    argv += opts.ind;
    if (!*argv)
        dieusage();
    char const *kept = known && !a.path ? getenv("PNEU_ACCESS") : NULL;
    if (kept && *kept) {
        a.path = kept + 1;
        a.cdb = *kept == 'x';
    } else if (!a.path)
        unsetenv("PNEU_ACCESS");

    void (*pipe)(int) = signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    a.has_ip = ucspi_remote(&a.ip);
    int given = a.path != NULL;
    int here = prepare(&a, given);
    if (given)
        keep_path(&a);
    if (known)
        admit_take_name(&a);
    else if (a.lookup != ADMIT_NO && a.has_ip)
        admit_look_up(&a);
    decide(&a);
    if (fchdir(here) == -1)
        later("return to ", "the folder I was started in");
    signal(SIGPIPE, pipe);
    run(&a, argv);
}
