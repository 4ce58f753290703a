#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/complete.h"
#include "control/control.h"

static struct {
    char const *variable;
    enum setting setting;
} const sources[COMPLETE_count] = {
    [COMPLETE_HOST] = {"QMAILDEFAULTHOST", SET_defaulthost},
    [COMPLETE_DOMAIN] = {"QMAILDEFAULTDOMAIN", SET_defaultdomain},
    [COMPLETE_PLUS] = {"QMAILPLUSDOMAIN", SET_plusdomain},
    [COMPLETE_ID] = {"QMAILIDHOST", SET_idhost},
};

static int
is_hostlike(char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] <= 0x20 || strchr("<>()@,;:\\\"\x7f", s[i]))
            return 0;
    return 1;
}

int
complete_value(struct complete *c, enum complete_name which)
{
    stralloc *value = c->value + which;
    char const *given = getenv(sources[which].variable);

    if (c->known[which])
        return 1;
    if (given) {
        c->failed = sources[which].variable;
        if (!stralloc_copys(value, given))
            return 0;
    } else {
        c->failed = control_path(sources[which].setting);
        int r = control_line(sources[which].setting, value);
        if (r != 1)
            return r == -1 ? 0 : (errno = ENOENT, 0);
    }
    if (!is_hostlike(value->s, value->len))
        return (errno = EPROTO, 0);
    c->known[which] = 1;
    return 1;
}

/* Appends "." and that value. */
static int
add(struct complete *c, enum complete_name which, struct addresslist_entry *a)
{
    if (!complete_value(c, which))
        return 0;
    a->changed = 1;
    return !c->value[which].len || (stralloc_append(&a->domain, '.') && stralloc_cat(&a->domain, c->value + which));
}

int
complete_address(struct complete *c, struct addresslist_entry *a)
{
    if (!a->local.len && !a->domain.len)
        return 1;
    if (!a->domain.len) {
        if (!complete_value(c, COMPLETE_HOST) || !stralloc_copy(&a->domain, c->value + COMPLETE_HOST))
            return 0;
        a->changed = 1;
    }
    if (!a->domain.len || *a->domain.s == '[')
        return 1;
    if (a->domain.s[a->domain.len - 1] == '+') {
        a->domain.len--;
        if (!add(c, COMPLETE_PLUS, a))
            return 0;
    }
    return memchr(a->domain.s, '.', a->domain.len) || add(c, COMPLETE_DOMAIN, a);
}
