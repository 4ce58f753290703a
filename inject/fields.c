#include <errno.h>
#include <string.h>

#include "inject/inject.h"
#include "lib/addresslist.h"
#include "queue/envelope.h"

/* What we do with a field. */
enum use { KEEP, SHOWN, PLAIN, FORWARDED, RETURN, SENDER };

static unsigned char const uses[HEADER_count] = {
    [HEADER_TO] = SHOWN,
    [HEADER_CC] = SHOWN,
    [HEADER_BCC] = PLAIN,
    [HEADER_APPARENTLY_TO] = PLAIN,
    [HEADER_RESENT_TO] = FORWARDED,
    [HEADER_RESENT_CC] = FORWARDED,
    [HEADER_RESENT_BCC] = FORWARDED,
    [HEADER_RETURN_PATH] = RETURN,
    [HEADER_SENDER] = SENDER,
    [HEADER_FROM] = SENDER,
    [HEADER_REPLY_TO] = SENDER,
    [HEADER_RETURN_RECEIPT_TO] = SENDER,
    [HEADER_ERRORS_TO] = SENDER,
    [HEADER_RESENT_SENDER] = SENDER,
    [HEADER_RESENT_FROM] = SENDER,
    [HEADER_RESENT_REPLY_TO] = SENDER,
};

/* Appends local@domain and a NUL. Returns 1, 0 with errno (EILSEQ: no address that we queue). */
static int
put_address(stralloc *to, struct addresslist_entry const *a)
{
    size_t start = to->len;

    if (!stralloc_readyplus(to, 1) || !stralloc_cat(to, &a->local) ||
        (a->domain.len && (!stralloc_append(to, '@') || !stralloc_cat(to, &a->domain))))
        return 0;
    if (memchr(to->s + start, 0, to->len - start) || !envelope_address(to->s + start, to->len - start))
        return to->len = start, errno = EILSEQ, 0;
    return stralloc_0(to);
}

/* Completes an address and notes it: addresslist_func. */
static int
note(void *data, struct addresslist_entry *a)
{
    struct inject *i = data;

    if (!complete_address(&i->complete, a))
        return 0;
    i->complete.failed = 0;
    if (!a->local.len && i->to != &i->sender)
        return 1; /* "To: <>" is nobody */
    if (i->to == &i->sender && i->has_sender++)
        return 1; /* the first one counts */
    return (!i->to || put_address(i->to, a)) && (!i->also || put_address(i->also, a));
}

/* Why a walk over addresses failed: `why` of the parser, else errno. */
static int
wrong(struct inject *i, enum inject_result what, char const *where, char const *why)
{
    if (!why && errno == EILSEQ)
        why = "an address that is too long, or has control characters in it";
    if (why)
        return inject_fail(i, what, "cannot parse ", where, ": ", why, NULL);
    if (i->complete.failed && errno == ENOENT)
        return inject_fail(i, INJECT_CONFIG, "an address without a host needs ", i->complete.failed, " or control/me",
                           NULL);
    if (i->complete.failed)
        return inject_trouble(i, INJECT_CONFIG, i->complete.failed);
    return inject_trouble(i, INJECT_SYSTEM, "addresses");
}

/* The name of a field, for messages. */
static char const *
name_of(struct inject *i, struct header_field const *f)
{
    size_t len = 0;

    while (i->header.text.s[f->start + len] != ':')
        len++;
    return stralloc_copyb(&i->scratch, i->header.text.s + f->start, len) && stralloc_0(&i->scratch) ? i->scratch.s
                                                                                                    : "a field";
}

/* A field of recipients that cannot be parsed stays as it is. It is an error only if its addresses are wanted. */
static int
doubt(struct inject *i, enum use use)
{
    if (i->result != INJECT_DATA)
        return 0;
    if (use == FORWARDED)
        i->in_forwarded = 1;
    else
        i->in_plain = 1;
    i->result = INJECT_QUEUED;
    return i->doubt.len || stralloc_copy(&i->doubt, &i->why) || inject_trouble(i, INJECT_SYSTEM, "header");
}

/* Walks over a field's addresses; what becomes of its body is appended to i->kept if it stays. */
static int
addresses(struct inject *i, struct header_field const *f, enum use use, int stays)
{
    stralloc *const to[] = {
        [SHOWN] = &i->plain, [PLAIN] = &i->plain, [FORWARDED] = &i->forwarded, [RETURN] = &i->sender, [SENDER] = 0};
    char const *body = i->header.text.s + f->body, *why;
    stralloc out = STRALLOC_ZERO;

    i->to = to[use];
    i->also = use == SHOWN ? &i->shown : 0;
    int good = addresslist_walk(body, f->end - f->body, &out, note, i, &why);
    if (!good && (wrong(i, INJECT_DATA, name_of(i, f), why), use == SENDER || use == RETURN || !doubt(i, use)))
        return 0;
    if (stays && !(good ? stralloc_cat(&i->kept, &out) : stralloc_catb(&i->kept, body, f->end - f->body)))
        return inject_trouble(i, INJECT_SYSTEM, "header");
    stralloc_free(&out);
    return 1;
}

static int
field(struct inject *i, struct header_field const *f)
{
    unsigned int letters = i->o->letters;
    int stays = !header_private(f->name);
    char const *text = i->header.text.s;

    if ((f->name == HEADER_FROM && letters & INJECT_NO_FROM) ||
        (f->name == HEADER_MESSAGE_ID && letters & INJECT_NO_ID) ||
        (f->name == HEADER_RETURN_PATH && letters & INJECT_NO_RETURN))
        return 1;
    i->seen[f->name] = 1;
    if (f->name == HEADER_MBOX && !stralloc_cats(&i->kept, "MBOX-Line: "))
        return inject_trouble(i, INJECT_SYSTEM, "header");
    if (!uses[f->name])
        return !stays || stralloc_catb(&i->kept, text + f->start, f->end - f->start) ||
               inject_trouble(i, INJECT_SYSTEM, "header");
    if (stays && !stralloc_catb(&i->kept, text + f->start, f->body - f->start))
        return inject_trouble(i, INJECT_SYSTEM, "header");
    return addresses(i, f, uses[f->name], stays);
}

static int
is_resent(struct inject const *i)
{
    return i->seen[HEADER_RESENT_SENDER] || i->seen[HEADER_RESENT_FROM] || i->seen[HEADER_RESENT_REPLY_TO] ||
           i->seen[HEADER_RESENT_TO] || i->seen[HEADER_RESENT_CC] || i->seen[HEADER_RESENT_BCC] ||
           i->seen[HEADER_RESENT_DATE] || i->seen[HEADER_RESENT_MESSAGE_ID];
}

int
fields_take(struct inject *i)
{
    for (size_t n = 0; n < header_count(&i->header); n++)
        if (!field(i, header_field(&i->header, n)))
            return 0;
    i->resent = is_resent(i);
    if (i->o->from == INJECT_ARGUMENTS || !(i->resent ? i->in_forwarded : i->in_plain))
        return 1;
    i->result = INJECT_DATA;
    return stralloc_copy(&i->why, &i->doubt) ? 0 : inject_trouble(i, INJECT_SYSTEM, "header");
}

/* 1 if it can be the domain of an address; "[...]" is a literal, "#@[]" and "-@[]" have meanings. */
static int
is_domain(char const *s)
{
    return *s == '[' ? s[strlen(s) - 1] == ']' && strcspn(s, " \t\n") == strlen(s)
                     : !s[strcspn(s, " \t\n<>()\",;:@\\[]")];
}

int
fields_argument(struct inject *i, char const *s, stralloc *to)
{
    struct addresslist_entry a = {.local = STRALLOC_ZERO};
    char const *at = strrchr(s, '@');
    size_t len = at ? (size_t)(at - s) : strlen(s);
    size_t dlen = at ? strlen(at + 1) : 0;

    i->complete.failed = 0;
    if (!*s && to == &i->sender)
        return stralloc_0(to) || inject_trouble(i, INJECT_SYSTEM, "addresses");
    if (!len || (at && !is_domain(at + 1)))
        return inject_fail(i, INJECT_USAGE, "no address: ", s, NULL);
    if (dlen && at[dlen] == '.')
        dlen--;
    int good = stralloc_copyb(&a.local, s, len) && stralloc_copyb(&a.domain, at ? at + 1 : "", dlen) &&
               complete_address(&i->complete, &a) && (i->complete.failed = 0, put_address(to, &a));
    if (!good)
        wrong(i, INJECT_USAGE, s, 0);
    stralloc_free(&a.local);
    stralloc_free(&a.domain);
    return good;
}

int
fields_list(struct inject *i, char const *s, stralloc *to)
{
    char const *why;

    i->to = to;
    i->also = 0;
    i->complete.failed = 0;
    return addresslist_walk(s, strlen(s), &i->scratch, note, i, &why) || wrong(i, INJECT_USAGE, s, why);
}

int
fields_sender(struct inject *i, char const *s)
{
    if (!*s) {
        i->has_sender = 1;
        return stralloc_0(&i->sender) || inject_trouble(i, INJECT_SYSTEM, "sender");
    }
    if (!fields_list(i, s, &i->sender))
        return 0;
    return i->has_sender == 1 || inject_fail(i, INJECT_USAGE, "not one sender: ", s, NULL);
}
