/* passwordmake: a line of users/passwords. Apart from passwords.c, since it hashes (libxcrypt). */

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "control/control.h"
#include "control/passwords.h"
#include "control/users.h"
#include "lib/base64.h"
#include "lib/durable.h"
#include "lib/sasl.h"

static int
put_base64(stralloc *to, void const *s, size_t len)
{
    char text[BASE64_ENCODED(SECRET_SIZE)];

    return stralloc_catb(to, text, base64_encode(text, s, len));
}

/* yescrypt, as hard as libxcrypt thinks right. */
static int
put_hash(struct operation *op, stralloc *line, struct bytes password)
{
    char phrase[SASL_PASSWORD_MAX + 1], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *work = calloc(1, sizeof *work);
    char const *hash = NULL;

    memcpy(phrase, password.s, password.len);
    phrase[password.len] = 0;
    if (work && crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting))
        hash = crypt_rn(phrase, setting, work, sizeof *work);
    int good = hash && stralloc_cats(line, hash);
    int e = errno;
    explicit_bzero(phrase, sizeof phrase);
    if (work)
        explicit_bzero(work, sizeof *work);
    free(work);
    errno = e;
    return good || service_failed(op, "hash ", "the password");
}

/* The secret that salts come from; made when it is first wanted. */
static int
salt_key(struct operation *op, stralloc *key)
{
    char fresh[SECRET_SIZE];
    uint32_t uid, gid;
    int got = passwords_read(PASSWORDS_KEY, key);

    if (got == 1 && key->len == SECRET_SIZE)
        return 1;
    if (got == -1)
        return service_failed(op, "read ", PASSWORDS_KEY);
    if (!users_id("pneua", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneua");
    if (getrandom(fresh, sizeof fresh, 0) != sizeof fresh ||
        !durable_writeas(PASSWORDS_KEY, fresh, sizeof fresh, op->root ? 0640 : 0600, geteuid(), gid))
        return service_failed(op, "write ", PASSWORDS_KEY);
    return stralloc_copyb(key, fresh, sizeof fresh) || service_failed(op, "remember ", PASSWORDS_KEY);
}

static int
put_scram(struct operation *op, stralloc *line, char const *mailbox, struct bytes password)
{
    stralloc key = STRALLOC_ZERO;
    unsigned char salt[PASSWORDS_SALT];
    char digits[UINT32_FMT];
    struct secret_scram keys;

    if (!salt_key(op, &key))
        return (stralloc_free(&key), 0);
    passwords_salt((struct bytes){key.s, key.len}, (struct bytes){mailbox, strlen(mailbox)}, salt);
    stralloc_free(&key);
    secret_scram(&keys, password, (struct bytes){(char *)salt, sizeof salt}, PASSWORDS_ROUNDS);
    return (stralloc_cats(line, ":scram-sha-256=") &&
            stralloc_catb(line, digits, uint32_fmt(digits, PASSWORDS_ROUNDS)) && stralloc_append(line, ',') &&
            put_base64(line, salt, sizeof salt) && stralloc_append(line, ',') &&
            put_base64(line, keys.stored, SECRET_SIZE) && stralloc_append(line, ',') &&
            put_base64(line, keys.server, SECRET_SIZE)) ||
           service_failed(op, "remember ", "the password");
}

static int
put_cram(struct operation *op, stralloc *line, struct bytes password)
{
    struct secret_cram states;
    char both[sizeof states];

    secret_cram(&states, password);
    memcpy(both, states.inner, sizeof states.inner);
    memcpy(both + sizeof states.inner, states.outer, sizeof states.outer);
    return (stralloc_cats(line, ":cram-md5=") && put_base64(line, both, sizeof both)) ||
           service_failed(op, "remember ", "the password");
}

int
passwordmake(struct operation *op, stralloc *line, char const *mailbox, char const *name, char const *rights,
             struct bytes password, unsigned int methods)
{
    line->len = 0;
    if (!sasl_password(password))
        return service_failed(op, "use ", "the password: it is empty, too long or holds a NUL");
    if (!stralloc_cats(line, mailbox) || !stralloc_append(line, ':') || !stralloc_cats(line, name) ||
        !stralloc_append(line, ':') || !stralloc_cats(line, rights) || !stralloc_append(line, ':'))
        return service_failed(op, "remember ", "the password");
    return put_hash(op, line, password) &&
           (!(methods & 1u << SASL_SCRAM_SHA_256) || put_scram(op, line, mailbox, password)) &&
           (!(methods & 1u << SASL_CRAM_MD5) || put_cram(op, line, password)) &&
           (stralloc_append(line, '\n') || service_failed(op, "remember ", "the password"));
}

/* Adds what one file says. */
static int
add_methods(struct operation *op, char const *path, unsigned int *methods)
{
    stralloc text = STRALLOC_ZERO;
    unsigned int more = 0;
    int got = control_file(SET_authmech, path, &text);

    if (got == 1 && text.len && !sasl_list(text.s, &more))
        got = -1;
    *methods |= more;
    int e = errno;
    stralloc_free(&text);
    errno = e;
    return got != -1 || service_failed(op, "read ", path);
}

int
passwordmake_methods(struct operation *op, unsigned int *methods)
{
    stralloc servers = STRALLOC_ZERO, path = STRALLOC_ZERO;
    int good = durable_names("control/servers", &servers) || errno == ENOENT;

    *methods = 0;
    if (!good)
        (void)service_failed(op, "read ", "control/servers");
    good = good && add_methods(op, "control/authmech", methods);
    for (size_t at = 0; good && at < servers.len; at += strlen(servers.s + at) + 1) {
        path.len = 0;
        good = (stralloc_cats(&path, "control/servers/") && stralloc_cats(&path, servers.s + at) &&
                stralloc_cats(&path, "/authmech") && stralloc_0(&path) && add_methods(op, path.s, methods));
    }
    int e = errno;
    stralloc_free(&servers);
    stralloc_free(&path);
    return (errno = e, good);
}
