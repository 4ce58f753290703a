#include "lib/sasl.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base64.h"

char const *const sasl_names[SASL_count] = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"};

static int
malformed(void)
{
    errno = EPROTO;
    return 0;
}

enum sasl
sasl_named(char const *name, size_t len)
{
    enum sasl i = 0;

    while (i < SASL_count && (strlen(sasl_names[i]) != len || strncasecmp(sasl_names[i], name, len) != 0))
        i++;
    return i;
}

int
sasl_list(char const *text, unsigned int *methods)
{
    *methods = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        size_t len = strcspn(text, " \t");
        enum sasl which = sasl_named(text, len);
        if (which == SASL_count)
            return malformed();
        *methods |= 1u << which;
        text += len;
    }
    return 1;
}

int
sasl_login(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.s[i] <= 0x20 || name.s[i] == 0x7f || name.s[i] == ':')
            return malformed();
    return (name.len && name.len <= SASL_NAME_MAX) || malformed();
}

int
sasl_password(struct bytes password)
{
    return (password.len && password.len <= SASL_PASSWORD_MAX && !memchr(password.s, 0, password.len)) || malformed();
}

/* Takes what precedes that byte, and the byte. */
static int
take_until(struct bytes *in, char end, struct bytes *part)
{
    char const *at = in->len ? memchr(in->s, end, in->len) : NULL;

    if (!at)
        return 0;
    *part = (struct bytes){in->s, (size_t)(at - in->s)};
    in->s += part->len + 1;
    in->len -= part->len + 1;
    return 1;
}

int
sasl_plain(struct bytes message, struct bytes *authzid, struct bytes *login, struct bytes *password)
{
    if (!take_until(&message, 0, authzid) || !take_until(&message, 0, login))
        return malformed();
    *password = message;
    return (!authzid->len || sasl_login(*authzid)) && sasl_login(*login) && sasl_password(*password);
}

static int
hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
sasl_cram(struct bytes message, struct bytes *login, unsigned char digest[static 16])
{
    char const *text;

    if (message.len < 34 || message.s[message.len - 33] != ' ')
        return malformed();
    text = message.s + message.len - 32;
    for (unsigned int i = 0; i < 16; i++) {
        int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);
        if (high == -1 || low == -1)
            return malformed();
        digest[i] = (unsigned char)(high << 4 | low);
    }
    *login = (struct bytes){message.s, message.len - 33};
    return sasl_login(*login);
}

/* Takes "x=" off the front. */
static int
take_key(struct bytes *in, char key)
{
    if (in->len < 2 || in->s[0] != key || in->s[1] != '=')
        return 0;
    in->s += 2;
    in->len -= 2;
    return 1;
}

/* Printing bytes but the comma (RFC 5802 section 7). */
static int
is_nonce(struct bytes nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.s[i] < 0x21 || nonce.s[i] > 0x7e || nonce.s[i] == ',')
            return 0;
    return nonce.len && nonce.len <= SASL_NONCE_MAX;
}

/* Extensions that may be left unread: ",x=value". */
static int
are_extensions(struct bytes rest)
{
    while (rest.len) {
        char const *comma = memchr(rest.s, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.s) : rest.len;
        if (len < 3 || rest.s[1] != '=' || (rest.s[0] | 32) < 'a' || (rest.s[0] | 32) > 'z')
            return 0;
        rest.s += len;
        rest.len -= len;
        if (rest.len) {
            rest.s++;
            rest.len--;
            if (!rest.len)
                return 0;
        }
    }
    return 1;
}

int
sasl_scram_first(struct bytes message, struct sasl_first *f)
{
    struct bytes rest = message, part;

    *f = (struct sasl_first){.gs2 = {message.s, 0}};
    if (message.len > SASL_MESSAGE_MAX || !take_until(&rest, ',', &part) || part.len != 1 ||
        (part.s[0] != 'n' && part.s[0] != 'y') || !take_until(&rest, ',', &part))
        return malformed();
    if (part.len && (!take_key(&part, 'a') || !part.len))
        return malformed();
    f->authzid = part;
    f->gs2.len = (size_t)(rest.s - message.s);
    f->bare = rest;
    if (!take_key(&rest, 'n') || !take_until(&rest, ',', &f->login) || !f->login.len || !take_key(&rest, 'r'))
        return malformed();
    if (!take_until(&rest, ',', &f->nonce)) {
        f->nonce = rest;
        rest.len = 0;
    } else if (!rest.len)
        return malformed();
    return (is_nonce(f->nonce) && are_extensions(rest)) || malformed();
}

size_t
sasl_scram_name(char out[static SASL_NAME_MAX], struct bytes name)
{
    size_t len = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.s[i];
        if (c == '=') {
            if (name.len - i < 3 || name.s[i + 1] != (name.s[i + 2] == 'C' ? '2' : '3') ||
                (name.s[i + 2] != 'C' && name.s[i + 2] != 'D'))
                return 0;
            c = name.s[i + 2] == 'C' ? ',' : '=';
            i += 2;
        }
        if (len == SASL_NAME_MAX)
            return 0;
        out[len++] = c;
    }
    return len && sasl_login((struct bytes){out, len}) ? len : 0;
}

int
sasl_scram_final(struct bytes message, struct sasl_final *f)
{
    struct bytes rest = message, part;
    char proof[BASE64_DECODED(44)];
    size_t text = BASE64_ENCODED(32);

    /* The proof is what stands last, and of known length. */
    if (message.len > SASL_MESSAGE_MAX || message.len < text + 3)
        return malformed();
    f->unproven = (struct bytes){message.s, message.len - text - 3};
    if (memcmp(message.s + f->unproven.len, ",p=", 3) != 0 ||
        base64_decode(proof, message.s + message.len - text, text) != 32)
        return malformed();
    memcpy(f->proof, proof, 32);
    rest = f->unproven;
    if (!take_key(&rest, 'c') || !take_until(&rest, ',', &f->binding) || !f->binding.len || !take_key(&rest, 'r'))
        return malformed();
    if (!take_until(&rest, ',', &part)) {
        part = rest;
        rest.len = 0;
    } else if (!rest.len)
        return malformed();
    f->nonce = part;
    return (part.len && part.len <= 2 * SASL_NONCE_MAX && are_extensions(rest)) || malformed();
}
