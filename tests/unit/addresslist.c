/* lib/addresslist.c: which addresses stand in a list, and how it is written anew. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addresslist.h"
#include "tests/tap.h"

#define SAME ""

/* For the names of tests: a line stays a line. */
static char const *
line_of(char const *s)
{
    static char text[4][256];
    static unsigned int n;
    char *to = text[n++ % 4];
    size_t i = 0;

    for (; *s && i < sizeof text[0] - 1; s++)
        to[i++] = (unsigned char)*s < 0x20 || *s == '#' ? '~' : *s;
    to[i] = 0;
    return to;
}

/* As pneu-inject does: a host for who has none, a domain for a host without a dot. */
static int
complete(void *data, struct addresslist_entry *a)
{
    stralloc *found = data;

    if (a->local.len && !a->domain.len) {
        if (!stralloc_cats(&a->domain, "here"))
            return 0;
        a->changed = 1;
    }
    if (a->local.len && *a->domain.s != '[' && !memchr(a->domain.s, '.', a->domain.len)) {
        if (!stralloc_cats(&a->domain, ".x"))
            return 0;
        a->changed = 1;
    }
    return (!found->len || stralloc_append(found, '|')) && stralloc_cat(found, &a->local) &&
           (!a->local.len || stralloc_append(found, '@')) && stralloc_cat(found, &a->domain);
}

/* out: the body afterwards, SAME if it stays; NULL: it is no list, and `found` is why. */
static struct {
    char const *in, *out, *found;
} const lists[] = {
    /* plain addresses */
    {"a@b.c", SAME, "a@b.c"},
    {" a@b.c\n", SAME, "a@b.c"},
    {" a@b.c, d@e.f\n", SAME, "a@b.c|d@e.f"},
    {" a@b.c,d@e.f,\n\tg@h.i\n", SAME, "a@b.c|d@e.f|g@h.i"},
    {" a@b.c,\n", SAME, "a@b.c"},
    {" ,,a@b.c,,d@e.f,,\n", SAME, "a@b.c|d@e.f"},
    {"", SAME, ""},
    {"\n", SAME, ""},
    {" \n \n", SAME, ""},
    {" ,\n", SAME, ""},
    {" a.b.c@d.e.f", SAME, "a.b.c@d.e.f"},
    {" a!#$%&'*+-/=?^_`{|}~@b.c", SAME, "a!#$%&'*+-/=?^_`{|}~@b.c"},
    {" a @ b.c", SAME, "a@b.c"},
    {" a . b @ c . d", SAME, "a.b@c.d"},
    {" a\n @\n b.c\n", SAME, "a@b.c"},
    {" A@B.C", SAME, "A@B.C"},
    {" a%b@c.d", SAME, "a%b@c.d"},
    {" b!a@c.d", SAME, "b!a@c.d"},
    {" a@b.c\r\n", SAME, "a@b.c"},
    {" 1@2.3", SAME, "1@2.3"},
    {" a@b_c.d", SAME, "a@b_c.d"},
    {" a@-b-.d", SAME, "a@-b-.d"},
    {" a=b=c-d=e@f.g", SAME, "a=b=c-d=e@f.g"},
    /* hosts and domains that are missing */
    {"a", "a@here.x", "a@here.x"},
    {"a\n", "a@here.x\n", "a@here.x"},
    {" a (comment)\n", " a@here.x (comment)\n", "a@here.x"},
    {" a@b", " a@b.x", "a@b.x"},
    {" a@b, c, d@e.f", " a@b.x, c@here.x, d@e.f", "a@b.x|c@here.x|d@e.f"},
    {" a@b (comment), c", " a@b.x (comment), c@here.x", "a@b.x|c@here.x"},
    {" <a>", " <a@here.x>", "a@here.x"},
    {" A <a>, <b@c>", " A <a@here.x>, <b@c.x>", "a@here.x|b@c.x"},
    {" a@", " a@here.x", "a@here.x"},
    {" a@, b@c.d", " a@here.x, b@c.d", "a@here.x|b@c.d"},
    {" a@ (x)", " a@here.x (x)", "a@here.x"},
    {" <a@>", " <a@here.x>", "a@here.x"},
    {" \"a b\"", " \"a b\"@here.x", "a b@here.x"},
    {" a.b", " a.b@here.x", "a.b@here.x"},
    {" a@b.", " a@b.x", "a@b.x"},
    {" a@b.c.", " a@b.c", "a@b.c"},
    {" a@b.c. ", " a@b.c ", "a@b.c"},
    {" a@b.c ., d@e.f", " a@b.c, d@e.f", "a@b.c|d@e.f"},
    {" <a@b.c.>", " <a@b.c>", "a@b.c"},
    {" a(x)@(y)b", " a(x)@(y)b.x", "a@b.x"},
    /* phrases */
    {" Joe <a@b.c>", SAME, "a@b.c"},
    {" Joe Q. Public <a@b.c>", SAME, "a@b.c"},
    {" \"Public, Joe\" <a@b.c>", SAME, "a@b.c"},
    {" \"Joe \\\"Q\\\" Public\" <a@b.c>", SAME, "a@b.c"},
    {" \"Joe\\\\\" <a@b.c>", SAME, "a@b.c"},
    {" Joe\n <a@b.c>\n", SAME, "a@b.c"},
    {" <a@b.c>", SAME, "a@b.c"},
    {" <a@b.c>, <d@e.f>", SAME, "a@b.c|d@e.f"},
    {" < a@b.c >", SAME, "a@b.c"},
    {" Joe<a@b.c>", SAME, "a@b.c"},
    {" \"\" <a@b.c>", SAME, "a@b.c"},
    {" joe@x.y <a@b.c>", SAME, "a@b.c"},
    {" joe@x.y at work <a@b.c>", SAME, "a@b.c"},
    {" @joe <a@b.c>", SAME, "a@b.c"},
    {" [list] Joe <a@b.c>", SAME, "a@b.c"},
    {" Joe (the <one>) <a@b.c>", SAME, "a@b.c"},
    {" Joe <a@b.c> (comment)", SAME, "a@b.c"},
    {" O'Reilly <a@b.c>", SAME, "a@b.c"},
    {" =?utf-8?q?J=C3=B6rg?= <a@b.c>", SAME, "a@b.c"},
    {" =?utf-8?B?SsO2cmc=?= =?utf-8?B?IFg=?= <a@b.c>", SAME, "a@b.c"},
    {" J\xc3\xb6rg <a@b.c>", SAME, "a@b.c"},
    {" J\xf6rg <a@b.c>", SAME, "a@b.c"},
    {" \"J\xc3\xb6rg, X\" <a@b.c>", SAME, "a@b.c"},
    {" j\xc3\xb6rg@b\xc3\xbc"
     "cher.example",
     SAME,
     "j\xc3\xb6rg@b\xc3\xbc"
     "cher.example"},
    {" a & b <a@b.c>", SAME, "a@b.c"},
    {" \"\t\" <a@b.c>", SAME, "a@b.c"},
    {" \"a\n b\" <a@b.c>", SAME, "a@b.c"},
    {" \"\x1b$B\" <a@b.c>", SAME, "a@b.c"},
    /* comments */
    {" a@b.c (Joe)", SAME, "a@b.c"},
    {" (Joe) a@b.c", SAME, "a@b.c"},
    {" (a(b(c)d)e) a@b.c", SAME, "a@b.c"},
    {" a@b.c (\\))", SAME, "a@b.c"},
    {" a@b.c (\\()", SAME, "a@b.c"},
    {" a@b.c (, d@e.f)", SAME, "a@b.c"},
    {" a@b.c (\"), d@e.f (\")", SAME, "a@b.c|d@e.f"},
    {" a@b.c (\x1b(B)", NULL, "'(' without ')'"},
    {" a@b.c (\n x\n )", SAME, "a@b.c"},
    {" (x)a(x).(x)b(x)@(x)c(x).(x)d(x)", SAME, "a.b@c.d"},
    {" ()", SAME, ""},
    {" (a@b.c)", SAME, ""},
    {" a@b.c ()()()", SAME, "a@b.c"},
    {" <(x)a@b.c(y)>", SAME, "a@b.c"},
    /* quoted strings */
    {" \"a b\"@c.d", SAME, "a b@c.d"},
    {" \"a\\\"b\"@c.d", SAME, "a\"b@c.d"},
    {" \"a\\\\b\"@c.d", SAME, "a\\b@c.d"},
    {" \"a@b\"@c.d", SAME, "a@b@c.d"},
    {" \"a,b\"@c.d", SAME, "a,b@c.d"},
    {" \"(a)\"@c.d", SAME, "(a)@c.d"},
    {" \"<a>\"@c.d", SAME, "<a>@c.d"},
    {" \"a\".b.\"c d\"@e.f", SAME, "a.b.c d@e.f"},
    {" \"a\"@b.c", SAME, "a@b.c"},
    {" \"a\n b\"@c.d", SAME, "a b@c.d"},
    {" \"a\\b\"@c.d", SAME, "ab@c.d"},
    {" \"|/bin/sh\"", " \"|/bin/sh\"@here.x", "|/bin/sh@here.x"},
    {" \"-f\"@b.c", SAME, "-f@b.c"},
    /* dots where none should be, which people have */
    {" a..b@c.d", SAME, "a..b@c.d"},
    {" a.@c.d", SAME, "a.@c.d"},
    {" .a@c.d", SAME, ".a@c.d"},
    {" <a..@c.d>", SAME, "a..@c.d"},
    /* literals */
    {" a@[192.0.2.1]", SAME, "a@[192.0.2.1]"},
    {" a@[IPv6:2001:db8::1]", SAME, "a@[IPv6:2001:db8::1]"},
    {" <a@[192.0.2.1]>", SAME, "a@[192.0.2.1]"},
    {" a@[]", SAME, "a@[]"},
    {" <#@[]>", SAME, "#@[]"},
    {" <a-@b.c-@[]>", NULL, "two '@' in one address"},
    {" a@[192.0.2.1", NULL, "'[' without ']'"},
    {" a@[192 .0.2.1]", NULL, "a character that no address literal holds"},
    {" a@[[192.0.2.1]]", NULL, "a character that no address literal holds"},
    {" a@[192.0.2.1].b", NULL, "something behind an address literal"},
    {" a@b.[192.0.2.1]", NULL, "a domain that is none"},
    {" a@[x][y]", NULL, "an address with nothing in it"},
    {" a@[x\\]y]", SAME, "a@[x\\]y]"},
    /* null and routes */
    {" <>", SAME, ""},
    {" Nobody <>", SAME, ""},
    {" < >", SAME, ""},
    {" <@x.y:a@b.c>", " <a@b.c>", "a@b.c"},
    {" <@x.y,@z:a@b.c>", " <a@b.c>", "a@b.c"},
    {" Joe <@x.y, @z : a@b>", " Joe < a@b.x>", "a@b.x"},
    {" <@x.y:>", " <>", ""},
    {" <@x.y:a>, b", " <a@here.x>, b@here.x", "a@here.x|b@here.x"},
    {" <@x.y>", NULL, "a source route without ':'"},
    {" <@x.y a@b.c>", NULL, "a source route without ':'"},
    {" <@", NULL, "a source route without ':'"},
    {" <@:", NULL, "an address with nothing in it"},
    /* groups */
    {" g: a@b.c, d@e.f;", SAME, "a@b.c|d@e.f"},
    {" g:;", SAME, ""},
    {" undisclosed-recipients:;", SAME, ""},
    {" recipient list not shown: ;", SAME, ""},
    {" undisclosed-recipients:", " undisclosed-recipients:;", ""},
    {" undisclosed-recipients: \n", " undisclosed-recipients:; \n", ""},
    {" g: a@b.c", " g: a@b.c;", "a@b.c"},
    {" g: a, b@c", " g: a@here.x, b@c.x;", "a@here.x|b@c.x"},
    {" a@b.c, g: d@e.f;, h@i.j", SAME, "a@b.c|d@e.f|h@i.j"},
    {" a@b.c, g: d@e.f; h@i.j", " a@b.c, g: d@e.f;, h@i.j", "a@b.c|d@e.f|h@i.j"},
    {" \"my group\": a@b.c;", SAME, "a@b.c"},
    {" My (x) group (y) : (z) a@b.c (z);", SAME, "a@b.c"},
    {" g: Joe <a@b.c>, \"X\" <d@e>;", " g: Joe <a@b.c>, \"X\" <d@e.x>;", "a@b.c|d@e.x"},
    {" g:;, h:;", SAME, ""},
    {" g:; h:;", " g:;, h:;", ""},
    {" g: h: a@b.c;;", NULL, "a group in a group"},
    {" : a@b.c;", NULL, "a group without a name"},
    {" g: a@b.c;,", SAME, "a@b.c"},
    {" g: ,,a@b.c,,;", SAME, "a@b.c"},
    {" Re: hello", " Re: hello@here.x;", "hello@here.x"},
    /* ';' between addresses */
    {" a@b.c; d@e.f", " a@b.c, d@e.f", "a@b.c|d@e.f"},
    {" a@b.c; d@e.f;", " a@b.c, d@e.f", "a@b.c|d@e.f"},
    {" a@b.c;\n", " a@b.c\n", "a@b.c"},
    {" Joe <a@b.c>; Jim <d@e>\n", " Joe <a@b.c>, Jim <d@e.x>\n", "a@b.c|d@e.x"},
    {" ;", " ", ""},
    /* commas that are missing */
    {" a b", " a@here.x, b@here.x", "a@here.x|b@here.x"},
    {" a@b.c d@e.f", " a@b.c, d@e.f", "a@b.c|d@e.f"},
    {" a@b.c\n d@e.f\n", " a@b.c,\n d@e.f\n", "a@b.c|d@e.f"},
    {" <a@b.c> <d@e.f>", " <a@b.c>, <d@e.f>", "a@b.c|d@e.f"},
    {" <a@b.c><d@e.f>", " <a@b.c>,<d@e.f>", "a@b.c|d@e.f"},
    {" A <a@b.c> D <d@e.f>", " A <a@b.c>, D <d@e.f>", "a@b.c|d@e.f"},
    {" a@b.c (x) d@e.f (y)", " a@b.c, (x) d@e.f (y)", "a@b.c|d@e.f"},
    {" g: a@b.c d@e.f;", " g: a@b.c, d@e.f;", "a@b.c|d@e.f"},
    {" \"a\"\"b\"@c.d", " \"a\"@here.x,\"b\"@c.d", "a@here.x|b@c.d"},
    {" a@b.c \"d e\"@f.g", " a@b.c, \"d e\"@f.g", "a@b.c|d e@f.g"},
    /* what is no list */
    {" a@b@c.d", NULL, "two '@' in one address"},
    {" a@@b.c", NULL, "a domain that is none"},
    {" @b.c", NULL, "'@' with nothing before it"},
    {" @", NULL, "'@' with nothing before it"},
    {" <a@b.c", NULL, "'<' without '>'"},
    {" <", NULL, "an address with nothing in it"},
    {" a@b.c>", NULL, "'>' without '<'"},
    {" >", NULL, "'>' without '<'"},
    {" <<a@b.c>>", NULL, "an address with nothing in it"},
    {" <a b@c.d>", NULL, "more than an address between '<' and '>'"},
    {" <a@b.c, d@e.f>", NULL, "more than an address between '<' and '>'"},
    {" <a@b.c d>", NULL, "more than an address between '<' and '>'"},
    {" (a", NULL, "'(' without ')'"},
    {" a@b.c (", NULL, "'(' without ')'"},
    {" ((a)", NULL, "'(' without ')'"},
    {" (\\", NULL, "'(' without ')'"},
    {" (a\\)", NULL, "'(' without ')'"},
    {" a)", NULL, "a bracket that closes nothing"},
    {" )", NULL, "a bracket that closes nothing"},
    {" ]", NULL, "a bracket that closes nothing"},
    {" \"a", NULL, "'\"' without '\"'"},
    {" \"", NULL, "'\"' without '\"'"},
    {" \"\\", NULL, "'\"' without '\"'"},
    {" \"a\\\"", NULL, "'\"' without '\"'"},
    {" a@b.c \"", NULL, "'\"' without '\"'"},
    {" a\\b@c.d", NULL, "a character that needs quotes"},
    {" \\", NULL, "a character that needs quotes"},
    {" a\x01@b.c", NULL, "a character that needs quotes"},
    {" a\x7f@b.c", NULL, "a character that needs quotes"},
    {" a@b\x1f.c", NULL, "a character that needs quotes"},
    {" a@b..c", NULL, "a domain that is none"},
    {" a@.b.c", NULL, "a domain that is none"},
    {" a@\"b\".c", NULL, "a domain that is none"},
    {" a@b.\"c\"", NULL, "a domain that is none"},
    {" a@b.c..", NULL, "a domain that is none"},
    {" \"\"@b.c", NULL, "'@' with nothing before it"},
    {" \"\"", NULL, "an address with nothing in it"},
    {" [x]", NULL, "an address with nothing in it"},
    {" g: <a@b.c;", NULL, "more than an address between '<' and '>'"},
};

static void
test_lists(void)
{
    stralloc out = STRALLOC_ZERO, found = STRALLOC_ZERO;
    char const *why;

    for (unsigned int i = 0; i < sizeof lists / sizeof *lists; i++) {
        char const *in = lists[i].in, *want = lists[i].out;
        found.len = 0;
        errno = 0;
        int good = addresslist_walk(in, strlen(in), &out, complete, &found, &why);
        int e = errno;
        if (want && !*want)
            want = in;
        stralloc_0(&out);
        stralloc_0(&found);
        if (want)
            ok(good && !strcmp(out.s, want) && !strcmp(found.s, lists[i].found), "list '%s' -> '%s' [%s] %s",
               line_of(in), line_of(out.s), line_of(found.s), good ? "" : why);
        else
            ok(!good && e == EPROTO && why && !strcmp(why, lists[i].found), "no list '%s': %s", line_of(in),
               why ? why : "none");
    }
    stralloc_free(&out);
    stralloc_free(&found);
}

static int
stop(void *data, struct addresslist_entry *a)
{
    errno = EDOM;
    return 0;
}

static int
count(void *data, struct addresslist_entry *a)
{
    ++*(size_t *)data;
    return 1;
}

/* The evil ones: large, and so made that a parser that looks back costs the square. */
static void
test_large(void)
{
    static struct {
        char const *unit;
        size_t times;
        size_t addresses;
    } const large[] = {
        {"a ", 400000, 400000},  {"a@b.c,", 150000, 150000},
        {"(", 1000000, 0},       {"()", 500000, 0},
        {"<a>", 300000, 300000}, {"a.", 500000, 1},
        {"\"\\\"", 200000, 0},   {"g:;", 300000, 0},
        {",", 1000000, 0},       {"a b c d <e>", 90000, 90000},
        {"@", 500000, 0},        {"<@", 500000, 0},
    };
    stralloc in = STRALLOC_ZERO, out = STRALLOC_ZERO;
    char const *why;

    for (unsigned int i = 0; i < sizeof large / sizeof *large; i++) {
        size_t n = 0;
        in.len = 0;
        for (size_t k = 0; k < large[i].times; k++)
            stralloc_cats(&in, large[i].unit);
        int good = addresslist_walk(in.s, in.len, &out, count, &n, &why);
        ok(large[i].addresses ? good && n == large[i].addresses : good || why, "%zu times '%s'", large[i].times,
           large[i].unit);
    }
    in.len = 0;
    stralloc_cats(&in, "a@b.c");
    ok(!addresslist_walk(in.s, in.len, &out, stop, 0, &why) && errno == EDOM && !why, "the function's errno comes out");
    ok(!addresslist_walk("a\0b@c.d", 7, &out, stop, 0, &why) && errno == EPROTO, "a NUL in an atom");
    ok(!addresslist_walk("\"a\0b\"@c.d", 9, &out, stop, 0, &why) && errno == EPROTO, "a NUL in quotes");
    stralloc_free(&in);
    stralloc_free(&out);
}

static struct {
    char const *in;
    int phrase;
    char const *out;
} const quotes[] = {
    {"joe", 0, "joe"},         {"joe.x", 0, "joe.x"},
    {"joe x", 0, "\"joe x\""}, {".joe", 0, "\".joe\""},
    {"joe.", 0, "\"joe.\""},   {"a..b", 0, "\"a..b\""},
    {"", 0, "\"\""},           {"a\"b\\c", 0, "\"a\\\"b\\\\c\""},
    {"a@b", 0, "\"a@b\""},     {"j\xc3\xb6", 0, "j\xc3\xb6"},
    {"joe", 1, "\"joe\""},     {"Joe (x)", 1, "\"Joe (x)\""},
};

static void
test_quotes(void)
{
    stralloc sa = STRALLOC_ZERO;

    for (unsigned int i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        sa.len = 0;
        ok(addresslist_quote(&sa, quotes[i].in, strlen(quotes[i].in), quotes[i].phrase) && stralloc_0(&sa) &&
               !strcmp(sa.s, quotes[i].out),
           "quote %s", quotes[i].in);
    }
    stralloc_free(&sa);
}

int
main(void)
{
    test_lists();
    test_large();
    test_quotes();
    return tap_done();
}
