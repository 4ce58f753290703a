/* Keywords are a table: another extension is another row. */

#include "smtpd/params.h"

#include <string.h>
#include <strings.h>

#include "lib/utf8.h"
#include "lib/xtext.h"
#include "queue/envelope.h"

#define SIZE_DIGITS 20 /* RFC 1870 section 3 */

static char const unknown[] = "555 5.5.4 no such parameter here";

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

/* The value's place in a list of words, case ignored; -1 if it is none of them. */
static int
which(struct bytes value, char const *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (value.len == strlen(words[i]) && strncasecmp(value.s, words[i], value.len) == 0)
            return i;
    return -1;
}

static char const *
scan_smtputf8(struct bytes value, struct params *p)
{
    p->smtputf8 = 1;
    return value.len ? "501 5.5.4 SMTPUTF8 has no value" : NULL;
}

/* Who submitted it, as another server says (RFC 4954 section 5). No server is trusted to say so. */
static char const *
scan_auth(struct bytes value, struct params *p)
{
    if (!(p->command & PARAMS_AUTH))
        return unknown;
    if (value.len == 2 && !memcmp(value.s, "<>", 2))
        return NULL;
    if (!value.len || value.len > PARAMS_ORCPT_MAX || !xtext_valid(value.s, value.len))
        return "501 5.5.4 AUTH wants xtext or <>";
    return NULL;
}

static char const *
scan_ret(struct bytes value, struct params *p)
{
    static char const *const words[] = {"FULL", "HDRS"};
    int i = which(value, words, 2);

    if (i == -1)
        return "501 5.5.4 RET is FULL or HDRS";
    p->ret = words[i];
    return NULL;
}

static char const *
scan_envid(struct bytes value, struct params *p)
{
    if (!value.len || value.len > PARAMS_ENVID_MAX || !xtext_valid(value.s, value.len))
        return "501 5.5.4 ENVID wants xtext, at most 100 characters";
    p->envid = value;
    return NULL;
}

static char const *const notify_words[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"}; /* in the order of the bits */

static char const *
scan_notify(struct bytes value, struct params *p)
{
    static char const refusal[] = "501 5.5.4 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY";

    for (;;) {
        char const *comma = value.len ? memchr(value.s, ',', value.len) : NULL;
        struct bytes word = {value.s, comma ? (size_t)(comma - value.s) : value.len};
        int i = which(word, notify_words, 4);
        if (i == -1 || p->notify & 1u << i)
            return refusal;
        p->notify |= 1u << i;
        if (!comma)
            break;
        value.len -= word.len + 1;
        value.s += word.len + 1;
    }
    return p->notify & PARAMS_NEVER && p->notify != PARAMS_NEVER ? refusal : NULL;
}

/* The type is an atom. Of the address form utf-8 (RFC 6533) values may be UTF-8 as it is, if MAIL said SMTPUTF8. */
static char const *
scan_orcpt(struct bytes value, struct params *p)
{
    static char const refusal[] = "501 5.5.4 ORCPT wants type;xtext, at most 500 characters";
    char const *semicolon = value.len ? memchr(value.s, ';', value.len) : NULL;
    size_t type = semicolon ? (size_t)(semicolon - value.s) : 0;

    if (!type || type + 1 == value.len || value.len > PARAMS_ORCPT_MAX)
        return refusal;
    for (size_t i = 0; i < type; i++)
        if (!is_alnum(value.s[i]) && value.s[i] != '-')
            return refusal;
    struct bytes address = {semicolon + 1, value.len - type - 1};
    int utf8 = type == 5 && !strncasecmp(value.s, "utf-8", 5);
    if (utf8 ? !utf8_valid(address.s, address.len) : !xtext_valid(address.s, address.len))
        return refusal;
    p->orcpt = value;
    return NULL;
}

static struct {
    char const *keyword;
    unsigned int commands;
    char const *(*scan)(struct bytes value, struct params *);
} const table[] = {
    {"SIZE", PARAMS_MAIL, scan_size},     {"BODY", PARAMS_MAIL, scan_body},   {"SMTPUTF8", PARAMS_MAIL, scan_smtputf8},
    {"AUTH", PARAMS_MAIL, scan_auth},     {"RET", PARAMS_MAIL, scan_ret},     {"ENVID", PARAMS_MAIL, scan_envid},
    {"NOTIFY", PARAMS_RCPT, scan_notify}, {"ORCPT", PARAMS_RCPT, scan_orcpt},
};

static char const *
one(struct bytes keyword, struct bytes value, struct params *p)
{
    for (unsigned int i = 0; i < sizeof table / sizeof *table; i++) {
        if (!(table[i].commands & p->command) || strlen(table[i].keyword) != keyword.len ||
            strncasecmp(table[i].keyword, keyword.s, keyword.len) != 0)
            continue;
        if (p->given & 1u << i)
            return "501 5.5.4 the same parameter twice";
        p->given |= 1u << i;
        return table[i].scan(value, p);
    }
    return unknown;
}

/* esmtp-value: printing characters but '='; and bytes from 0x80 where RFC 6531 allows them. */
static int
is_value(char c, unsigned int command)
{
    return (c >= 33 && c <= 126 && c != '=') || ((unsigned char)c >= 0x80 && command & PARAMS_UTF8);
}

char const *
params_scan(struct bytes in, unsigned int command, struct params *p)
{
    static char const malformed[] = "501 5.5.4 malformed parameters";
    size_t i = 0;

    *p = (struct params){.command = command};
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
            while (i < in.len && is_value(in.s[i], command))
                i++;
            value.len = (size_t)(in.s + i - value.s);
            if (!value.len)
                return malformed;
        }
        char const *refusal = one(keyword, value, p);
        if (refusal)
            return refusal;
    }
}

static int
put_text(stralloc *to, char const *name, char const *value)
{
    return !value || envelope_put(to, name, value, strlen(value));
}

static int
put_bytes(stralloc *to, char const *name, struct bytes value)
{
    return !value.len || envelope_put(to, name, value.s, value.len);
}

static int
put_notify(stralloc *to, unsigned int notify)
{
    char list[32] = "";
    size_t len = 0;

    if (!notify)
        return 1;
    for (unsigned int i = 0; i < 4; i++)
        if (notify & 1u << i) {
            size_t word = strlen(notify_words[i]);
            if (len)
                list[len++] = ',';
            memcpy(list + len, notify_words[i], word);
            len += word;
        }
    return envelope_put(to, "notify", list, len);
}

int
params_put(stralloc *to, struct params const *p)
{
    return put_text(to, "body", p->body) && put_text(to, "smtputf8", p->smtputf8 ? "1" : NULL) &&
           put_text(to, "ret", p->ret) && put_bytes(to, "envid", p->envid) && put_notify(to, p->notify) &&
           put_bytes(to, "orcpt", p->orcpt);
}
