#include "local/dotqmail.h"

#include <string.h>

#include "queue/envelope.h"

static enum dotqmail
file_type(struct bytes text)
{
    if (text.len > DOTQMAIL_PATH_MAX)
        return DOTQMAIL_BAD;
    return text.s[text.len - 1] == '/' ? DOTQMAIL_MAILDIR : DOTQMAIL_MBOX;
}

static enum dotqmail
line_type(struct bytes *text, unsigned int number)
{
    if (!text->len)
        return number == 1 ? DOTQMAIL_BLANK : DOTQMAIL_COMMENT;
    if (*text->s == '#')
        return DOTQMAIL_COMMENT;
    if (memchr(text->s, 0, text->len))
        return DOTQMAIL_BAD;
    switch (*text->s) {
    case '.':
    case '/':
        return file_type(*text);
    case '+':
        return text->len == 5 && !memcmp(text->s, "+list", 5) ? DOTQMAIL_LIST : DOTQMAIL_COMMENT;
    case '|':
        text->s++, text->len--;
        return DOTQMAIL_PROGRAM;
    case '&':
        text->s++, text->len--;
        break;
    }
    return text->len && envelope_address(text->s, text->len) ? DOTQMAIL_FORWARD : DOTQMAIL_BAD;
}

int
dotqmail_next(struct bytes *text, struct dotqmail_line *line)
{
    if (!text->len)
        return 0;
    char const *lf = memchr(text->s, '\n', text->len);
    size_t len = lf ? (size_t)(lf - text->s) : text->len;
    line->text = (struct bytes){text->s, len};
    text->s += len + !!lf;
    text->len -= len + !!lf;
    while (line->text.len && (line->text.s[line->text.len - 1] == ' ' || line->text.s[line->text.len - 1] == '\t'))
        line->text.len--;
    line->type = line_type(&line->text, ++line->number);
    return 1;
}
