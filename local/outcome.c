#include <string.h>

#include "local/delivery.h"

void
outcome_add(struct outcome *o, char const *s, size_t len)
{
    size_t have = strlen(o->text);

    if (len > OUTCOME_TEXT - have)
        len = OUTCOME_TEXT - have;
    for (size_t i = 0; i < len; i++)
        o->text[have + i] = s[i] > 0x1f && s[i] < 0x7f ? s[i] : s[i] & ~0x7f ? '?' : ' ';
    o->text[have + len] = 0;
}

int
outcome_set(struct outcome *o, char class, char const *code, char const *text, char const *detail, int e)
{
    o->class = class;
    o->dsn = 0;
    strncpy(o->code, code, sizeof o->code - 1);
    o->code[sizeof o->code - 1] = 0;
    o->text[0] = 0;
    outcome_add(o, text, strlen(text));
    if (detail) {
        outcome_add(o, ": ", 2);
        outcome_add(o, detail, strlen(detail));
    }
    if (e) {
        outcome_add(o, ": ", 2);
        outcome_add(o, strerror(e), strlen(strerror(e)));
    }
    return 0;
}
