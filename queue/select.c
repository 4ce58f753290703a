#include "queue/select.h"

#include <errno.h>
#include <string.h>

#include <skalibs/types.h>

#include "lib/pattern.h"
#include "queue/envelope.h"

static int
add(stralloc *to, char const *pattern)
{
    return stralloc_catb(to, pattern, strlen(pattern) + 1);
}

static int
wrong(void)
{
    return (errno = EINVAL, 0);
}

int
select_id(struct select *s, char const *id)
{
    if (id[strspn(id, "0123456789abcdeft*?")] || !*id)
        return wrong();
    if (!id_valid(id, strlen(id))) {
        if (!strpbrk(id, "*?"))
            return wrong();
        s->inexact = 1;
    }
    return add(&s->id, id);
}

int
select_age(char const *text, uint64_t *seconds)
{
    static char const units[] = "smhdw";
    static uint64_t const lengths[] = {1, 60, 3600, 86400, 604800};
    size_t n = uint64_scan(text, seconds);
    char const *unit = text[n] ? strchr(units, text[n]) : units;

    if (!n || !unit || (text[n] && text[n + 1]) || *seconds > UINT32_MAX)
        return 0;
    *seconds *= lengths[unit - units];
    return 1;
}

static int
add_age(struct select *s, char const *arg)
{
    uint64_t *limit = *arg == '-' ? &s->younger : &s->older;

    return select_age(arg + (*arg == '-' || *arg == '+'), limit) ? 1 : wrong();
}

static int
add_state(struct select *s, char const *arg)
{
    for (unsigned int i = 0; i < ITEM_STATES; i++)
        if (!strcmp(arg, item_word((enum item_state)i)))
            return (s->states |= 1u << i, 1);
    return wrong();
}

int
select_option(struct select *s, int o, char const *arg)
{
    int good;

    switch (o) {
    case 'f':
        good = add(&s->from, strcmp(arg, "<>") ? arg : "");
        break;
    case 't':
        good = add(&s->to, arg);
        break;
    case 'd':
        good = add(&s->domain, arg);
        break;
    case 'i':
        good = select_id(s, arg);
        break;
    case 'a':
        good = add_age(s, arg);
        break;
    case 'q':
        good = add_state(s, arg);
        break;
    default:
        return 0;
    }
    return good ? 1 : -1;
}

int
select_all(struct select const *s)
{
    return !s->from.len && !s->to.len && !s->domain.len && !s->id.len && !s->older && !s->younger;
}

/* 1 if one of the patterns matches, or there is none. */
static int
one_of(stralloc const *patterns, struct bytes b)
{
    if (!patterns->len)
        return 1;
    for (size_t at = 0; at < patterns->len; at += strlen(patterns->s + at) + 1)
        if (pattern_matches(patterns->s + at, b.s, b.len))
            return 1;
    return 0;
}

int
select_name(struct select const *s, char const *id)
{
    return one_of(&s->id, (struct bytes){id, ID_LEN});
}

int
select_recipient(struct select const *s, struct bytes address)
{
    return one_of(&s->to, address) && one_of(&s->domain, item_domain(address));
}

static int
some_recipient(struct select const *s, struct file const *f)
{
    struct bytes cursor = f->envelope;
    struct record r;
    uint32_t i = 0;

    if (!s->to.len && !s->domain.len)
        return 1;
    while (envelope_recipient(&cursor, &r))
        if (item_open_status(f->status[i++]) && select_recipient(s, r.value))
            return 1;
    return 0;
}

int
select_item(struct select const *s, struct item const *i, uint64_t now)
{
    uint64_t age = now > i->arrival ? now - i->arrival : 0;

    if ((s->older && age < s->older) || (s->younger && age >= s->younger) || !select_name(s, i->id))
        return 0;
    if (i->why)
        return !s->from.len && !s->to.len && !s->domain.len;
    return one_of(&s->from, i->from) && some_recipient(s, &i->file);
}
