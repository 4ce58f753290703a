#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "inject/inject.h"
#include "lib/addresslist.h"
#include "lib/date.h"
#include "queue/id.h"

#define FRESH_NAME_MAX 900 /* bytes of a person's name: From stays a line that SMTP carries */

static int
no_memory(struct inject *i)
{
    return inject_trouble(i, INJECT_SYSTEM, "header");
}

/* What comes from the environment must not bring fields of its own. */
static int
is_one_line(struct inject *i, char const *what, char const *s)
{
    size_t len = strlen(s);

    if (len > FRESH_NAME_MAX)
        return inject_fail(i, INJECT_USAGE, "a ", what, " of more than 900 bytes", NULL);
    for (size_t n = 0; n < len; n++)
        if ((unsigned char)s[n] < 0x20 || s[n] == 0x7f)
            return inject_fail(i, INJECT_USAGE, "a control character in the ", what, ": ", s, NULL);
    return 1;
}

/* i->scratch becomes user@host, completed; a comma or a blank in user is a part of it. */
static int
own_address(struct inject *i, char const *user, char const *host)
{
    size_t len = strlen(user);
    stralloc *to = &i->scratch;

    to->len = 0;
    if (!len)
        return inject_fail(i, INJECT_USAGE, "the user name is empty", NULL);
    if (!stralloc_copyb(&i->address, user, len) || !stralloc_append(&i->address, '@') ||
        !stralloc_cats(&i->address, host ? host : "") || !stralloc_0(&i->address))
        return no_memory(i);
    return fields_argument(i, i->address.s, to);
}

static int
put_number(stralloc *to, char const *before, uint64_t n)
{
    char s[UINT64_FMT];

    return stralloc_cats(to, before) && stralloc_catb(to, s, uint64_fmt(s, n));
}

int
fresh_sender(struct inject *i)
{
    unsigned int letters = i->o->letters;
    stralloc user = STRALLOC_ZERO;

    if (!i->has_sender) {
        if (!stralloc_copys(&user, i->o->suser ? i->o->suser : i->o->user))
            return no_memory(i);
        if (letters & INJECT_PER_MESSAGE &&
            (!put_number(&user, "-", i->now) || !put_number(&user, ".", (uint64_t)getpid())))
            return no_memory(i);
        if (letters & INJECT_PER_RCPT && !stralloc_append(&user, '-'))
            return no_memory(i);
        if (!stralloc_0(&user))
            return no_memory(i);
        if (!own_address(i, user.s, i->o->shost ? i->o->shost : i->o->host))
            return 0;
        stralloc_free(&user);
        if (!stralloc_copy(&i->sender, &i->scratch))
            return no_memory(i);
    }
    if (i->o->sender || !(letters & INJECT_PER_RCPT) || i->sender.len <= 1)
        return 1;
    i->sender.len--; /* list-@host-@[]: pneu-send puts each recipient between */
    return (stralloc_cats(&i->sender, "-@[]") && stralloc_0(&i->sender)) || no_memory(i);
}

static int
put_date(struct inject *i, char const *field)
{
    char date[DATE_SIZE];

    return (stralloc_cats(&i->fresh, field) && stralloc_catb(&i->fresh, date, date_fmt(date, i->now, 0)) &&
            stralloc_append(&i->fresh, '\n')) ||
           no_memory(i);
}

static int
put_id(struct inject *i, char const *field)
{
    char id[ID_SIZE];

    if (!complete_value(&i->complete, COMPLETE_ID))
        return inject_trouble(i, INJECT_CONFIG, i->complete.failed);
    if (!id_new(id))
        return inject_trouble(i, INJECT_SYSTEM, "random bytes");
    return (stralloc_cats(&i->fresh, field) && stralloc_append(&i->fresh, '<') && stralloc_cats(&i->fresh, id) &&
            stralloc_append(&i->fresh, '@') && stralloc_cat(&i->fresh, i->complete.value + COMPLETE_ID) &&
            stralloc_cats(&i->fresh, ">\n")) ||
           no_memory(i);
}

/* The address s in a header's form. */
static int
put_quoted(stralloc *to, char const *s)
{
    char const *at = strrchr(s, '@');

    return addresslist_quote(to, s, at ? (size_t)(at - s) : strlen(s), 0) && stralloc_cats(to, at ? at : "");
}

static int
put_comment(stralloc *to, char const *s)
{
    if (!stralloc_cats(to, " ("))
        return 0;
    for (; *s; s++)
        if ((strchr("()\\", *s) && !stralloc_append(to, '\\')) || !stralloc_append(to, *s))
            return 0;
    return stralloc_append(to, ')');
}

static int
put_from(struct inject *i, char const *field)
{
    char const *name = i->o->name;
    int comment = !!(i->o->letters & INJECT_COMMENT);
    stralloc *to = &i->fresh;

    if (name && !is_one_line(i, "name", name))
        return 0;
    if (i->o->as_sender && i->o->sender && *i->sender.s) {
        if (!stralloc_copys(&i->scratch, i->sender.s) || !stralloc_0(&i->scratch))
            return no_memory(i);
    } else if (!own_address(i, i->o->user, i->o->host)) {
        return 0;
    }
    int good = stralloc_cats(to, field);
    if (name && !comment)
        good = good && addresslist_quote(to, name, strlen(name), 1) && stralloc_cats(to, " <");
    good = good && put_quoted(to, i->scratch.s);
    if (name)
        good = good && (comment ? put_comment(to, name) : stralloc_append(to, '>'));
    return (good && stralloc_append(to, '\n')) || no_memory(i);
}

/* 1 if $QMAILMFTFILE has that address, a line each, case ignored. */
static int
is_followed(struct inject const *i, char const *address)
{
    size_t len = strlen(address);

    for (size_t at = 0; at < i->followup.len;) {
        char const *line = i->followup.s + at;
        char const *nl = memchr(line, '\n', i->followup.len - at);
        size_t n = nl ? (size_t)(nl - line) : i->followup.len - at;
        at += n + 1;
        while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
            n--;
        if (n == len && !strncasecmp(line, address, n))
            return 1;
    }
    return 0;
}

/* A reply to a list that we are on shall not come to us twice: Mail-Followup-To names all, but not us. */
static int
put_followup(struct inject *i)
{
    int found = 0, first = 1;
    stralloc *to = &i->fresh;

    for (size_t at = 0; at < i->shown.len && !found; at += strlen(i->shown.s + at) + 1)
        found = is_followed(i, i->shown.s + at);
    if (!found)
        return 1;
    for (size_t at = 0; at < i->shown.len; at += strlen(i->shown.s + at) + 1, first = 0)
        if (!stralloc_cats(to, first ? "Mail-Followup-To: " : ",\n  ") || !put_quoted(to, i->shown.s + at))
            return no_memory(i);
    return stralloc_append(to, '\n') || no_memory(i);
}

int
fresh_fields(struct inject *i)
{
    unsigned char const *seen = i->seen;
    int resent = i->resent;
    static char const nobody[] = "Resent-Cc: recipient list not shown: ;\n";

    if (!seen[resent ? HEADER_RESENT_DATE : HEADER_DATE] && !put_date(i, resent ? "Resent-Date: " : "Date: "))
        return 0;
    if (!seen[resent ? HEADER_RESENT_MESSAGE_ID : HEADER_MESSAGE_ID] &&
        !put_id(i, resent ? "Resent-Message-ID: " : "Message-ID: "))
        return 0;
    if (!seen[resent ? HEADER_RESENT_FROM : HEADER_FROM] && !put_from(i, resent ? "Resent-From: " : "From: "))
        return 0;
    if (!seen[resent ? HEADER_RESENT_TO : HEADER_TO] && !seen[resent ? HEADER_RESENT_CC : HEADER_CC] &&
        !stralloc_cats(&i->fresh, nobody + (resent ? 0 : strlen("Resent-"))))
        return no_memory(i);
    return resent || seen[HEADER_MAIL_FOLLOWUP_TO] || !i->followup.len || put_followup(i);
}
