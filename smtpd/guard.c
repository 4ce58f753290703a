#include "smtpd/guard.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/addr.h"

/* ---- the settings ---- */

static int
has_programs(enum setting setting, unsigned int bit, unsigned int *checks)
{
    stralloc lines = STRALLOC_ZERO;
    int got = control_list(setting, &lines);
    int e = errno;

    if (got == 1 && lines.len)
        *checks |= bit;
    stralloc_free(&lines);
    return got != -1 || (errno = e, 0);
}

int
guard_read(struct guard *g, unsigned char const *present, char const **which)
{
    static enum setting const checks[HOOK_PHASES] = {SET_connectcheck, SET_helocheck, SET_mailcheck, SET_rcptcheck,
                                                     SET_datacheck};
    struct control_number const numbers[] = {{SET_helostrict, &g->helostrict}, {SET_timeoutcheck, &g->timeoutcheck}};
    struct {
        enum setting setting;
        stralloc *value;
    } const lists[] = {{SET_badmailfrom, &g->badmailfrom}, {SET_badrcptto, &g->badrcptto}, {SET_badhelo, &g->badhelo}};

    for (unsigned int i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i].value = control_rows[numbers[i].setting].number;
        *which = control_path(numbers[i].setting);
        if (present[numbers[i].setting] && !control_uint(numbers[i].setting, numbers[i].value))
            return 0;
    }
    for (unsigned int i = 0; i < sizeof lists / sizeof *lists; i++) {
        *which = control_path(lists[i].setting);
        if (present[lists[i].setting] && control_list(lists[i].setting, lists[i].value) == -1)
            return 0;
    }
    for (unsigned int i = 0; i < HOOK_PHASES; i++) {
        *which = control_path(checks[i]);
        if (present[checks[i]] && !has_programs(checks[i], 1u << i, &g->checks))
            return 0;
    }
    return 1;
}

/* ---- the lists ---- */

static int
same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* One '*' is gone back to at a time, the last: as long as it takes is length times length. */
static int
matches(char const *pattern, char const *s, size_t len)
{
    char const *star = NULL;
    size_t at = 0, again = 0;

    while (at < len) {
        if (*pattern == '*') {
            star = pattern++;
            again = at;
        } else if (*pattern && (*pattern == '?' || same(*pattern, s[at]))) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++again;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static int
matches_any(stralloc const *list, char const *s, size_t len)
{
    for (size_t at = 0; at < list->len; at += strlen(list->s + at) + 1)
        if (strpbrk(list->s + at, "*?") && matches(list->s + at, s, len))
            return 1;
    return 0;
}

/* 1 if it holds "@.parent" of what follows the '@'. */
static int
holds_parent(stralloc const *list, char const *at, size_t len)
{
    for (size_t i = 0; i < list->len; i += strlen(list->s + i) + 1) {
        char const *item = list->s + i;
        size_t n = strlen(item);
        if (n < 3 || item[0] != '@' || item[1] != '.' || n - 1 >= len)
            continue;
        size_t k = 1;
        while (k < n && same(item[k], at[len - n + k]))
            k++;
        if (k == n)
            return 1;
    }
    return 0;
}

int
guard_address(stralloc const *list, char const *address, size_t len)
{
    size_t at = addr_at(address, len);

    if (!len || !list->len)
        return 0;
    return control_holds(list, address, len, 0) || matches_any(list, address, len) ||
           (at < len && (control_holds(list, address + at, len - at, 0) || holds_parent(list, address + at, len - at)));
}

int
guard_name(stralloc const *list, char const *name, size_t len)
{
    return len && list->len && (control_holds(list, name, len, 1) || matches_any(list, name, len));
}

int
guard_proper(char const *helo, size_t len)
{
    return addr_literal(helo, len) || (memchr(helo, '.', len) && addr_domain(helo, len, 0));
}
