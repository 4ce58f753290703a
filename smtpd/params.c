/* Keywords are a table: another extension is another row. */

#include "smtpd/params.h"

#include <string.h>
#include <strings.h>

#define SIZE_DIGITS 20 /* RFC 1870 section 3 */

static int
is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A number too large to count is as good as the largest: no limit lets it pass. */
static char const *
scan_size(struct bytes value, struct params *p)
{
    static char const refusal[] = "501 5.5.4 SIZE wants a number";

    if (!value.len || value.len > SIZE_DIGITS)
        return refusal;
    for (size_t i = 0; i < value.len; i++) {
        unsigned int digit = (unsigned char)value.s[i] - (unsigned int)'0';
        if (digit > 9)
            return refusal;
        if (p->size > (UINT64_MAX - digit) / 10)
            p->size = UINT64_MAX;
        else
            p->size = p->size * 10 + digit;
    }
    return NULL;
}

static char const *
scan_body(struct bytes value, struct params *p)
{
    static char const *const types[] = {"7BIT", "8BITMIME"};

    for (unsigned int i = 0; i < sizeof types / sizeof *types; i++)
        if (value.len == strlen(types[i]) && strncasecmp(value.s, types[i], value.len) == 0) {
            p->body = types[i];
            return NULL;
        }
    return "501 5.5.4 BODY is 7BIT or 8BITMIME";
}

static struct {
    char const *keyword;
    unsigned int commands;
    char const *(*scan)(struct bytes value, struct params *);
} const table[] = {
    {"SIZE", PARAMS_MAIL, scan_size},
    {"BODY", PARAMS_MAIL, scan_body},
};

static char const *
one(struct bytes keyword, struct bytes value, unsigned int command, struct params *p)
{
    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        if (!(table[i].commands & command) || strlen(table[i].keyword) != keyword.len ||
            strncasecmp(table[i].keyword, keyword.s, keyword.len) != 0)
            continue;
        if (p->given & 1u << i)
            return "501 5.5.4 the same parameter twice";
        p->given |= 1u << i;
        return table[i].scan(value, p);
    }
    return "555 5.5.4 no such parameter here";
}

/* esmtp-value: printing characters but '='. */
static int
is_value(char c)
{
    return c >= 33 && c <= 126 && c != '=';
}

char const *
params_scan(struct bytes in, unsigned int command, struct params *p)
{
    static char const malformed[] = "501 5.5.4 malformed parameters";
    size_t i = 0;

    *p = (struct params){0};
    for (;;) {
        size_t blanks = i;
        while (i < in.len && in.s[i] == ' ')
            i++;
        if (i == in.len)
            return NULL;
        if (i == blanks)
            return malformed;
        size_t begin = i;
        while (i < in.len && (is_alnum(in.s[i]) || (in.s[i] == '-' && i > begin)))
            i++;
        struct bytes keyword = {in.s + begin, i - begin}, value = {in.s + i, 0};
        if (!keyword.len)
            return malformed;
        if (i < in.len && in.s[i] == '=') {
            value.s = in.s + ++i;
            while (i < in.len && is_value(in.s[i]))
                i++;
            value.len = (size_t)(in.s + i - value.s);
            if (!value.len)
                return malformed;
        }
        char const *refusal = one(keyword, value, command, p);
        if (refusal)
            return refusal;
    }
}
