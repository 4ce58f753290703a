#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/utf8.h"
#include "smtpd/session_inner.h"

/* "251 new@address" or "551 new@address". Returns the code, 0 if it is neither. */
static int
scan(char const *value, stralloc *address)
{
    struct bytes rest = {value + 4, 0};
    int code = !strncmp(value, "251 ", 4) ? 251 : !strncmp(value, "551 ", 4) ? 551 : 0;

    if (!code)
        return 0;
    while (*rest.s == ' ')
        rest.s++;
    rest.len = strlen(rest.s);
    return addr_path(&rest, ADDR_BARE | ADDR_UTF8, address) && !rest.len ? code : 0;
}

static int
put_reply(struct session *s, int code, stralloc const *address, stralloc *text)
{
    char const *words =
        code == 251 ? "251 2.1.5 not here any more, I forward it to " : "551 5.1.6 not here any more, try ";

    text->len = 0;
    if (utf8_has8bit(address->s, address->len) && !s->params.smtputf8)
        words = code == 251 ? "251 2.1.5 not here any more, I forward it" : "551 5.1.6 not here any more";
    else
        return stralloc_cats(text, words) && stralloc_cats(text, "<") && addr_quote(text, address->s, address->len) &&
               stralloc_cats(text, ">") && stralloc_0(text);
    return stralloc_cats(text, words) && stralloc_0(text);
}

int
session_moved(struct session *s, struct bytes address, stralloc *to, stralloc *text)
{
    char const *value = policy_moved(s->policy, address.s, address.len);
    int code;

    if (!value)
        return 0;
    code = scan(value, to);
    if (code ? put_reply(s, code, to, text)
             : stralloc_copys(text, "450 4.3.5 where it has moved to cannot be read") && stralloc_0(text))
        return 1;
    session_nomemory(s);
    return -1;
}
