#include "lib/addresslist.h"

#include <errno.h>
#include <string.h>

/* --- tokens --- */

enum token_type { ATOM, QUOTED, LITERAL, SPECIAL, END, BAD };

struct token {
    enum token_type type;
    char c; /* of SPECIAL */
    size_t start, end;
};

/* A walk over a list; `copied` of its bytes are in out already, as they were or changed. */
struct list {
    char const *s;
    size_t len, pos;
    stralloc *out;
    size_t copied;
    char const *why;
    addresslist_func *f;
    void *data;
    struct addresslist_entry address;
};

static int
is_atom(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || (u > 0x20 && u < 0x7f && !strchr("()<>@,;:\\\".[]", c));
}

/* Leaves the blanks and comments at pos behind. Returns 0 if a comment has no end. */
static int
skip_blanks(struct list *l)
{
    size_t depth = 0;

    for (; l->pos < l->len; l->pos++) {
        char c = l->s[l->pos];
        if (c == '(')
            depth++;
        else if (depth && c == ')')
            depth--;
        else if (depth && c == '\\' && l->pos + 1 < l->len)
            l->pos++;
        else if (!depth && c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return 1;
    }
    return !depth;
}

static struct token
bad(struct list *l, struct token t, char const *why)
{
    l->why = why;
    t.type = BAD;
    return t;
}

/* The token that begins with '"' or '[', up to `close`. */
static struct token
next_enclosed(struct list *l, struct token t, char close)
{
    for (l->pos++; l->pos < l->len && l->s[l->pos] != close; l->pos++) {
        char c = l->s[l->pos];
        if (c == '\\' && l->pos + 1 < l->len)
            l->pos++;
        else if (!c || (close == ']' && ((unsigned char)c <= 0x20 || c == '[' || c == 0x7f)))
            return bad(l, t, close == ']' ? "a character that no address literal holds" : "a NUL");
    }
    if (l->pos >= l->len)
        return bad(l, t, close == ']' ? "'[' without ']'" : "'\"' without '\"'");
    t.end = ++l->pos;
    return t;
}

static struct token
next(struct list *l)
{
    struct token t = {.type = END};

    if (!skip_blanks(l))
        return bad(l, t, "'(' without ')'");
    t.start = t.end = l->pos;
    if (l->pos >= l->len)
        return t;
    t.c = l->s[l->pos];
    if (t.c == '"' || t.c == '[') {
        t.type = t.c == '"' ? QUOTED : LITERAL;
        return next_enclosed(l, t, t.c == '"' ? '"' : ']');
    }
    if (t.c && strchr("<>@,;:.", t.c)) {
        t.type = SPECIAL;
        t.end = ++l->pos;
        return t;
    }
    t.type = ATOM;
    while (l->pos < l->len && is_atom(l->s[l->pos]))
        l->pos++;
    if (l->pos == t.start)
        return bad(l, t, t.c == ')' || t.c == ']' ? "a bracket that closes nothing" : "a character that needs quotes");
    t.end = l->pos;
    return t;
}

static int
is(struct token const *t, char c)
{
    return t->type == SPECIAL && t->c == c;
}

/* Appends what the token means: quotes, backslashes and folds gone. */
static int
unquote(stralloc *to, struct list const *l, struct token const *t)
{
    size_t i = t->start, end = t->end;

    if (t->type == QUOTED) {
        i++;
        end--;
    }
    for (; i < end; i++) {
        if (t->type == QUOTED && (l->s[i] == '\n' || l->s[i] == '\r'))
            continue;
        if (t->type == QUOTED && l->s[i] == '\\' && i + 1 < end)
            i++;
        if (!stralloc_append(to, l->s[i]))
            return 0;
    }
    return 1;
}

/* --- lists --- */

static int
wrong(struct list *l, char const *why)
{
    if (!l->why)
        l->why = why;
    return 0;
}

/* Copies the bytes before `start`, then `text` in place of those before `end`. */
static int
replace(struct list *l, size_t start, size_t end, char const *text, size_t len)
{
    if (!stralloc_catb(l->out, l->s + l->copied, start - l->copied) || !stralloc_catb(l->out, text, len))
        return 0;
    l->copied = end;
    return 1;
}

/* Where an address stands in the list. */
struct place {
    size_t end;                /* of its last token */
    size_t domain, domain_end; /* equal if there is none */
    int at;
};

/* What follows '@' or a dot is no word: the end of the domain, or nonsense. */
static int
domain_ends(struct list *l, struct token const *t)
{
    if (is(t, '@') || is(t, '.') || t->type == QUOTED || t->type == LITERAL)
        return wrong(l, "a domain that is none");
    return t->type != BAD;
}

/* The domain behind '@'; p->end is behind that. */
static int
domain(struct list *l, struct place *p)
{
    stralloc *to = &l->address.domain;
    struct token t;

    p->domain = p->domain_end = p->end;
    for (int dots = 0;; dots++) {
        size_t behind = l->pos;
        t = next(l);
        if (t.type != ATOM && (t.type != LITERAL || dots)) {
            l->pos = behind;
            break;
        }
        if (!dots)
            p->domain = t.start;
        if ((dots && !stralloc_append(to, '.')) || !unquote(to, l, &t))
            return 0;
        p->end = p->domain_end = t.end;
        behind = l->pos;
        int literal = t.type == LITERAL;
        t = next(l);
        if (!is(&t, '.')) {
            l->pos = behind;
            return t.type != BAD && (!is(&t, '@') || wrong(l, "two '@' in one address"));
        }
        if (literal)
            return wrong(l, "something behind an address literal");
        p->end = t.end;
    }
    if (p->end > p->domain_end && to->len) { /* "host.": its last dot goes */
        p->domain_end = p->end;
        l->address.changed = 1;
    }
    return domain_ends(l, &t);
}

/* local[@domain]; the caller has looked ahead: something is there. */
static int
spec(struct list *l, struct place *p)
{
    int word = 0; /* the token before was one, only a dot or '@' goes on */

    *p = (struct place){.end = l->pos};
    for (;;) {
        size_t before = l->pos;
        struct token t = next(l);
        if (t.type == BAD)
            return 0;
        if (is(&t, '@')) {
            if (!l->address.local.len)
                return wrong(l, "'@' with nothing before it");
            p->at = 1;
            p->end = t.end;
            return domain(l, p);
        }
        if (is(&t, '.') || (!word && (t.type == ATOM || t.type == QUOTED))) {
            if (!unquote(&l->address.local, l, &t))
                return 0;
            word = !is(&t, '.');
            p->end = t.end;
            continue;
        }
        l->pos = before;
        return l->address.local.len ? 1 : wrong(l, "an address with nothing in it");
    }
}

/* Asks the function about the address that was read, and writes what it changed. */
static int
tell(struct list *l, struct place const *p)
{
    struct addresslist_entry *a = &l->address;

    if (!l->f(l->data, a))
        return 0;
    if (!a->changed)
        return 1;
    if (p->at)
        return replace(l, p->domain, p->domain_end, a->domain.s, a->domain.len);
    return !a->domain.len ||
           (replace(l, p->end, p->end, "@", 1) && replace(l, p->end, p->end, a->domain.s, a->domain.len));
}

static int
address(struct list *l, size_t *end)
{
    struct place p;

    l->address.local.len = l->address.domain.len = 0;
    l->address.changed = 0;
    if (!spec(l, &p) || !tell(l, &p))
        return 0;
    *end = p.end;
    return 1;
}

/* Leaves a source route, "@a,@b:", out; l->pos is at its '@'. */
static int
skip_route(struct list *l)
{
    size_t start = l->pos;
    struct token t;

    do {
        t = next(l);
        if (t.type == BAD)
            return 0;
        if (t.type == END || is(&t, '>') || is(&t, '<') || is(&t, ';'))
            return wrong(l, "a source route without ':'");
    } while (!is(&t, ':'));
    return replace(l, start, t.end, "", 0);
}

/* "<...>"; l->pos is behind '<'. */
static int
angle(struct list *l, size_t *end)
{
    size_t before = l->pos;
    struct token t = next(l);

    if (is(&t, '@')) {
        l->pos = t.start;
        if (!skip_route(l))
            return 0;
        before = l->pos;
        t = next(l);
    }
    if (is(&t, '>')) {
        l->address.local.len = l->address.domain.len = 0;
        *end = t.end;
        return l->f(l->data, &l->address);
    }
    if (t.type == BAD)
        return 0;
    l->pos = before;
    if (!address(l, end))
        return 0;
    t = next(l);
    if (!is(&t, '>'))
        return wrong(l, t.type == END ? "'<' without '>'" : "more than an address between '<' and '>'");
    *end = t.end;
    return 1;
}

/* Looks from l->pos to the character that decides what the words before it are. */
static struct token
decide(struct list *l)
{
    struct token t;

    do
        t = next(l);
    while (t.type != END && t.type != BAD && (t.type != SPECIAL || t.c == '@' || t.c == '.'));
    return t;
}

/* A ';' that ends no group, as other systems separate addresses: a comma, or nothing at the end. */
static int
semicolon(struct list *l, struct token const *t)
{
    size_t pos = l->pos;
    struct token after = next(l);

    if (after.type == BAD)
        return 0;
    l->pos = pos;
    return replace(l, t->start, t->end, ",", after.type != END);
}

/* One address, a group's name, or an address with its phrase; *t decided it. Sets *group and *need, whether a comma
 * has to follow. */
static int
element(struct list *l, struct token const *t, size_t start, int *group, int *need, size_t *end)
{
    *need = 1;
    if (is(t, '<')) {
        l->pos = t->end;
        return angle(l, end);
    }
    if (is(t, ':')) {
        if (*group || start == t->start)
            return wrong(l, *group ? "a group in a group" : "a group without a name");
        l->pos = t->end;
        *group = 1;
        *need = 0;
        *end = t->end;
        return 1;
    }
    if (is(t, '>'))
        return wrong(l, "'>' without '<'");
    l->pos = start;
    return address(l, end);
}

static int
walk(struct list *l)
{
    struct token decided = {.start = 0};
    size_t end = 0; /* of the last element */
    int group = 0, need = 0, known = 0;

    for (;;) {
        size_t before = l->pos;
        struct token t = next(l);

        if (t.type == BAD)
            return 0;
        if (t.type == END)
            return (!group || replace(l, end, end, ";", 1)) && replace(l, l->len, l->len, "", 0);
        if (is(&t, ',') || is(&t, ';')) {
            if (is(&t, ';') && !group && !semicolon(l, &t))
                return 0;
            need = is(&t, ';') && group;
            group = group && is(&t, ',');
            end = t.end;
            continue;
        }
        if (need && !replace(l, end, end, ",", 1))
            return 0;
        l->pos = before;
        if (!known || decided.start < t.start) { /* looked for once, or "a a a a" would cost its square */
            decided = decide(l);
            known = 1;
        }
        if (decided.type == BAD || !element(l, &decided, t.start, &group, &need, &end))
            return 0;
    }
}

int
addresslist_walk(char const *s, size_t len, stralloc *out, addresslist_func *f, void *data, char const **why)
{
    struct list l = {.s = s, .len = len, .out = out, .f = f, .data = data};

    out->len = 0;
    errno = 0;
    int good = walk(&l);
    int e = l.why ? EPROTO : errno;
    stralloc_free(&l.address.local);
    stralloc_free(&l.address.domain);
    errno = e;
    *why = l.why;
    return good;
}

static int
is_dotatom(char const *s, size_t len)
{
    int word = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' ? !word : !is_atom(s[i]))
            return 0;
        word = s[i] != '.';
    }
    return word;
}

int
addresslist_quote(stralloc *to, char const *s, size_t len, int phrase)
{
    if (!phrase && is_dotatom(s, len))
        return stralloc_catb(to, s, len);
    if (!stralloc_append(to, '"'))
        return 0;
    for (size_t i = 0; i < len; i++)
        if (((s[i] == '"' || s[i] == '\\') && !stralloc_append(to, '\\')) || !stralloc_append(to, s[i]))
            return 0;
    return stralloc_append(to, '"');
}
