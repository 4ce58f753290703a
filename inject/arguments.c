#include <string.h>
#include <strings.h>

#include "inject/arguments.h"

#define ENVID_MAX 100 /* characters, RFC 3461 section 4.4 */

/* What follows a letter. */
enum kind {
    UNKNOWN,
    ALONE,    /* nothing: another letter may */
    ATTACHED, /* the rest of this argument, which may be empty */
    VALUE,    /* the rest, or the next argument */
};

static unsigned char const kinds[128] = {
    ['A'] = ATTACHED, ['B'] = VALUE,    ['C'] = VALUE, ['F'] = VALUE, ['G'] = ALONE, ['I'] = ALONE, ['L'] = VALUE,
    ['N'] = VALUE,    ['O'] = VALUE,    ['R'] = VALUE, ['U'] = ALONE, ['V'] = VALUE, ['X'] = VALUE, ['b'] = VALUE,
    ['e'] = VALUE,    ['f'] = VALUE,    ['h'] = VALUE, ['i'] = ALONE, ['m'] = ALONE, ['n'] = ALONE, ['o'] = VALUE,
    ['p'] = VALUE,    ['q'] = ATTACHED, ['r'] = VALUE, ['t'] = ALONE, ['v'] = ALONE, ['x'] = ALONE,
};

static int
wrong(struct arguments *a, char const *why)
{
    a->why = why;
    return 0;
}

static int
mode(struct arguments *a, char const *value)
{
    if (strlen(value) != 1)
        return wrong(a, "no such mode");
    switch (*value) {
    case 'm':
        a->mode = ARGUMENTS_SEND;
        return 1;
    case 's':
        a->mode = ARGUMENTS_SMTP;
        return 1;
    case 'p':
        a->mode = ARGUMENTS_LIST;
        return 1;
    case 'i':
        a->mode = ARGUMENTS_ALIASES;
        return 1;
    case 'd':
    case 'D':
    case 'l':
        return wrong(a, "this is no daemon: pneu-server(8) adds a listener");
    default:
        return wrong(a, "no such mode");
    }
}

/* The one of `words` that value is, case ignored. */
static char const *
one_of(char const *value, char const *const *words)
{
    while (*words && strcasecmp(value, *words) != 0)
        words++;
    return *words;
}

/* -N: each word once, in the order of RFC 3461, so that eight strings are all there are. */
static int
notify(struct arguments *a, char const *value)
{
    static char const *const words[] = {"SUCCESS", "FAILURE", "DELAY"};
    static char const *const sets[] = {
        "NEVER", "SUCCESS",       "FAILURE",       "SUCCESS,FAILURE",
        "DELAY", "SUCCESS,DELAY", "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY",
    };
    unsigned int set = 0;

    if (!strcasecmp(value, "NEVER")) {
        a->notify = *sets;
        return 1;
    }
    for (;;) {
        size_t len = strcspn(value, ",");
        unsigned int i = 0;
        while (i < 3 && (strlen(words[i]) != len || strncasecmp(value, words[i], len) != 0))
            i++;
        if (i == 3)
            return wrong(a, "neither never nor a list of success, failure, delay");
        set |= 1u << i;
        if (!value[len])
            break;
        value += len + 1;
    }
    a->notify = sets[set];
    return 1;
}

static int
envid(struct arguments *a, char const *value)
{
    static char const hex[] = "0123456789ABCDEF";
    stralloc *to = &a->envid;

    to->len = 0;
    if (!*value || strlen(value) > ENVID_MAX)
        return wrong(a, "an identifier has 1 to 100 characters");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        int plain = c > 0x20 && c < 0x7f && c != '+' && c != '=';
        if (plain ? !stralloc_append(to, *value)
                  : !stralloc_append(to, '+') || !stralloc_append(to, hex[c >> 4]) || !stralloc_append(to, hex[c & 15]))
            return wrong(a, "out of memory");
    }
    return stralloc_0(to) || wrong(a, "out of memory");
}

/* -o: options of sendmail's configuration. One means something here. */
static int
set_option(struct arguments *a, char const *value)
{
    if (*value == 'i')
        a->nodots = !(value[1] == 'f' || value[1] == 'F' || value[1] == 'n' || value[1] == 'N' || value[1] == '0');
    return 1;
}

static int
sender(struct arguments *a, char const *value)
{
    if (*value == '-')
        return wrong(a, "a sender that begins with '-'");
    a->sender = value;
    return 1;
}

static int
take(struct arguments *a, char letter, char const *value)
{
    static char const *const bodies[] = {"7BIT", "8BITMIME", 0};
    static char const *const rets[] = {"FULL", "HDRS", 0};

    switch (letter) {
    case 'B':
        return (a->body = one_of(value, bodies)) || wrong(a, "neither 7BIT nor 8BITMIME");
    case 'C':
        return wrong(a, "another configuration: $PNEU_HOME chooses the instance");
    case 'F':
        a->name = value;
        return 1;
    case 'I':
        a->mode = ARGUMENTS_ALIASES;
        return 1;
    case 'N':
        return notify(a, value);
    case 'O': /* -O IgnoreDots=... by its long name */
        if (!strncasecmp(value, "IgnoreDots", 10))
            a->nodots = 1;
        return 1;
    case 'R':
        return (a->ret = one_of(value, rets)) || wrong(a, "neither full nor hdrs");
    case 'V':
        return envid(a, value);
    case 'X':
        return wrong(a, "no log file is written for a caller");
    case 'b':
        return mode(a, value);
    case 'f':
    case 'r':
        return sender(a, value);
    case 'i':
        a->nodots = 1;
        return 1;
    case 'o':
        return set_option(a, value);
    case 'q':
        a->mode = ARGUMENTS_FLUSH;
        return 1;
    case 't':
        a->header = 1;
        return 1;
    default: /* what others need and we have no use for */
        return 1;
    }
}

/* One argument that begins with '-'. *p moves on if an option takes the next one. */
static int
options(struct arguments *a, char const *const **p)
{
    for (char const *s = **p + 1; *s; s++) {
        enum kind kind = (unsigned char)*s < sizeof kinds ? kinds[(unsigned char)*s] : UNKNOWN;
        char const *value = s + 1;
        a->option[0] = '-';
        a->option[1] = (unsigned char)*s > 0x20 && (unsigned char)*s < 0x7f ? *s : '?';
        if (kind == UNKNOWN)
            return wrong(a, "no such option");
        if (kind == VALUE && !*value) {
            if (!(value = *++*p))
                return wrong(a, "something must follow");
        }
        if (!take(a, *s, value))
            return 0;
        if (kind != ALONE)
            break;
    }
    a->option[0] = 0;
    return 1;
}

static void
by_name(struct arguments *a, char const *name)
{
    char const *slash = strrchr(name, '/');

    name = slash ? slash + 1 : name;
    if (!strcmp(name, "mailq"))
        a->mode = ARGUMENTS_LIST;
    if (!strcmp(name, "newaliases"))
        a->mode = ARGUMENTS_ALIASES;
}

int
arguments_read(struct arguments *a, char const *const *argv)
{
    if (*argv)
        by_name(a, *argv++);
    for (; *argv && **argv == '-'; argv++) {
        if (!strcmp(*argv, "--")) {
            argv++;
            break;
        }
        if (!(*argv)[1])
            break;
        if (!options(a, &argv))
            return 0;
    }
    a->rest = argv;
    for (; *argv; argv++)
        if (**argv == '-' || !**argv)
            return wrong(a, **argv ? "an address that begins with '-'" : "an empty address");
    return 1;
}
