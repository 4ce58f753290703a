#include <stdlib.h>
#include <string.h>

#include <skalibs/bytestr.h>

#include "local/delivery.h"

int
program_safe(char const *s, size_t len)
{
    if (len >= 2 && s[0] == '(' && s[1] == ')')
        return 0;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return 0;
    return 1;
}

/* What grows while variables are put. */
struct variables {
    stralloc *to;
    stralloc unsafe; /* names of those that were left empty */
    int good;
};

/* lf: the value is a line and keeps its end. */
static void
put(struct variables *v, char const *name, char const *value, size_t len, int lf)
{
    if (len && value[len - 1] == '\n' && lf)
        len--;
    else
        lf = 0;
    int safe = program_safe(value, len);
    v->good = v->good && stralloc_cats(v->to, name) && stralloc_append(v->to, '=') &&
              (!safe || (stralloc_catb(v->to, value, len) && stralloc_catb(v->to, "\n", (size_t)lf))) &&
              stralloc_0(v->to) && (safe || (stralloc_append(&v->unsafe, ' ') && stralloc_cats(&v->unsafe, name)));
}

static void
put_text(struct variables *v, char const *name, char const *value)
{
    put(v, name, value, strlen(value), 0);
}

static void
put_line(struct variables *v, char const *name, struct bytes line)
{
    put(v, name, line.s, line.len, 1);
}

/* EXT, EXT2: what follows the first dash, and so on. */
static void
put_extensions(struct variables *v, char const *ext)
{
    static char const *const names[] = {"EXT", "EXT2", "EXT3", "EXT4"};

    for (unsigned int i = 0; i < 4; i++) {
        put_text(v, names[i], ext);
        ext += str_chr(ext, '-');
        ext += !!*ext;
    }
}

/* HOST, HOST2: without what follows the last dot, and so on. */
static void
put_hosts(struct variables *v, char const *host)
{
    static char const *const names[] = {"HOST", "HOST2", "HOST3", "HOST4"};
    size_t len = strlen(host);

    for (unsigned int i = 0; i < 4; i++) {
        put(v, names[i], host, len, 0);
        size_t dot = byte_rchr(host, len, '.');
        len = dot;
    }
}

/* What the user's programs find of ours: pneu-inject and its queue. */
static void
put_inherited(struct variables *v)
{
    static char const *const names[] = {"PATH", "PNEU_HOME", "PNEU_INTAKE"};

    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++) {
        char const *value = getenv(names[i]);
        if (value)
            put_text(v, names[i], value);
    }
}

int
program_environment(struct delivery const *d, stralloc *to)
{
    struct variables v = {.to = to, .unsafe = STRALLOC_ZERO, .good = 1};

    put_inherited(&v);
    put_text(&v, "USER", d->user);
    put_text(&v, "HOME", d->home);
    put_text(&v, "LOCAL", d->local);
    put_hosts(&v, d->host);
    put_extensions(&v, d->ext);
    put_text(&v, "SENDER", d->sender);
    put_text(&v, "NEWSENDER", d->newsender.s);
    struct bytes line = delivery_deliveredto(d);
    put(&v, "RECIPIENT", line.s + 14, line.len - 15, 0);
    put_line(&v, "DTLINE", line);
    put_line(&v, "RPLINE", delivery_returnpath(d));
    put_line(&v, "UFLINE", (struct bytes){d->from.s, d->from.len});
    if (d->suffix)
        put_text(&v, "DEFAULT", d->suffix);
    if (v.unsafe.len)
        put(&v, "UNSAFE", v.unsafe.s + 1, v.unsafe.len - 1, 0);
    stralloc_free(&v.unsafe);
    return v.good;
}
