#include "control/passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#include "control/users.h"
#include "lib/base64.h"
#include "lib/durable.h"

int
passwords_read(char const *path, stralloc *text)
{
    text->len = 0;
    if (openslurpclose(text, path))
        return 1;
    return errno == ENOENT ? 0 : -1;
}

/* ---- lines ---- */

static int
take_field(struct bytes *line, struct bytes *field)
{
    char const *colon = line->len ? memchr(line->s, ':', line->len) : NULL;
    size_t len = colon ? (size_t)(colon - line->s) : line->len;

    if (!line->s)
        return 0;
    *field = (struct bytes){line->s, len};
    *line = colon ? (struct bytes){colon + 1, line->len - len - 1} : (struct bytes){0};
    return 1;
}

static int
line_scan(struct bytes line, struct password *p)
{
    if (!line.len || *line.s == '#' || memchr(line.s, 0, line.len) || !take_field(&line, &p->mailbox) ||
        !take_field(&line, &p->name) || !take_field(&line, &p->rights) || !take_field(&line, &p->hash))
        return 0;
    p->verifiers = line;
    return p->mailbox.len && p->name.len;
}

static int
take_line(struct bytes *cursor, struct bytes *line)
{
    char const *end = cursor->len ? memchr(cursor->s, '\n', cursor->len) : NULL;
    size_t len = end ? (size_t)(end - cursor->s) : cursor->len;

    if (!cursor->len)
        return 0;
    *line = (struct bytes){cursor->s, len};
    len += end != NULL;
    cursor->s += len;
    cursor->len -= len;
    return 1;
}

int
passwords_next(struct bytes *cursor, struct password *p)
{
    struct bytes line;

    while (take_line(cursor, &line))
        if (line_scan(line, p))
            return 1;
    return 0;
}

static int
is_mailbox(struct password const *p, struct bytes mailbox)
{
    return p->mailbox.len == mailbox.len && !strncasecmp(p->mailbox.s, mailbox.s, mailbox.len);
}

int
passwords_find(struct bytes *cursor, struct bytes mailbox, struct password *p)
{
    while (passwords_next(cursor, p))
        if (is_mailbox(p, mailbox))
            return 1;
    return 0;
}

int
passwords_may(struct bytes rights, char const *right)
{
    size_t wanted = strlen(right);

    for (size_t at = 0; at < rights.len;) {
        char const *comma = memchr(rights.s + at, ',', rights.len - at);
        size_t len = comma ? (size_t)(comma - rights.s) - at : rights.len - at;
        if (len == wanted && !memcmp(rights.s + at, right, len))
            return 1;
        at += len + 1;
    }
    return 0;
}

int
passwords_rights(char const *s)
{
    static char const all[] = PASSWORDS_RIGHTS;
    char word[8];

    for (;;) {
        size_t len = strcspn(s, ",");
        if (!len || len >= sizeof word)
            return 0;
        memcpy(word, s, len);
        word[len] = 0;
        if (!passwords_may((struct bytes){all, sizeof all - 1}, word))
            return 0;
        if (!s[len])
            return 1;
        s += len + 1;
    }
}

int
passwords_name(char const *s)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len && !s[len] && len <= PASSWORDS_NAME_MAX;
}

/* ---- verifiers ---- */

static int
find_verifier(struct password const *p, char const *key, struct bytes *value)
{
    struct bytes rest = p->verifiers, field;
    size_t len = strlen(key);

    while (take_field(&rest, &field))
        if (field.len > len && field.s[len] == '=' && !memcmp(field.s, key, len)) {
            *value = (struct bytes){field.s + len + 1, field.len - len - 1};
            return 1;
        }
    return 0;
}

/* Takes Base64 of exactly that many bytes. */
static int
take_bytes(struct bytes *text, void *to, size_t len)
{
    char out[BASE64_DECODED(BASE64_ENCODED(SECRET_SIZE))];
    size_t n = BASE64_ENCODED(len);

    if (len > SECRET_SIZE || text->len < n || base64_decode(out, text->s, n) != (ssize_t)len)
        return 0;
    memcpy(to, out, len);
    text->s += n;
    text->len -= n;
    return 1;
}

static int
take_comma(struct bytes *text)
{
    if (!text->len || *text->s != ',')
        return 0;
    text->s++;
    text->len--;
    return 1;
}

int
passwords_scram(struct password const *p, struct password_scram *v)
{
    char digits[12];
    struct bytes text;
    size_t n;

    if (!find_verifier(p, "scram-sha-256", &text))
        return 0;
    for (n = 0; n < text.len && n < sizeof digits - 1 && text.s[n] != ','; n++)
        digits[n] = text.s[n];
    digits[n] = 0;
    text.s += n;
    text.len -= n;
    return uint320_scan(digits, &v->rounds) && v->rounds && take_comma(&text) &&
           take_bytes(&text, v->salt, sizeof v->salt) && take_comma(&text) &&
           take_bytes(&text, v->keys.stored, SECRET_SIZE) && take_comma(&text) &&
           take_bytes(&text, v->keys.server, SECRET_SIZE) && !text.len;
}

int
passwords_cram(struct password const *p, struct secret_cram *v)
{
    char states[sizeof *v];
    struct bytes text;

    if (!find_verifier(p, "cram-md5", &text) || !take_bytes(&text, states, sizeof states) || text.len)
        return 0;
    memcpy(v->inner, states, sizeof v->inner);
    memcpy(v->outer, states + sizeof v->inner, sizeof v->outer);
    return 1;
}

void
passwords_salt(struct bytes key, struct bytes mailbox, unsigned char salt[static PASSWORDS_SALT])
{
    unsigned char out[SECRET_SIZE];
    char lower[256];

    for (size_t i = 0; i < mailbox.len && i < sizeof lower; i++)
        lower[i] = mailbox.s[i] >= 'A' && mailbox.s[i] <= 'Z' ? (char)(mailbox.s[i] + 32) : mailbox.s[i];
    secret_hmac(out, key, (struct bytes){lower, mailbox.len < sizeof lower ? mailbox.len : sizeof lower});
    memcpy(salt, out, PASSWORDS_SALT);
}

/* ---- changes ---- */

/* One changes the file at a time. Returns a descriptor whose end is the end of the lock, or -1. */
static int
lock(struct operation *op)
{
    int fd = open("users", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd == -1 || flock(fd, LOCK_EX) == -1) {
        int e = errno;
        if (fd != -1)
            close(fd);
        errno = e;
        (void)service_failed(op, "lock ", "users");
        return -1;
    }
    return fd;
}

static int
read_old(struct operation *op, stralloc *text)
{
    if (passwords_read(PASSWORDS, text) == -1)
        return service_failed(op, "read ", PASSWORDS);
    if (text->len && text->s[text->len - 1] != '\n' && !stralloc_append(text, '\n'))
        return service_failed(op, "remember ", PASSWORDS);
    return 1;
}

static int
write_new(struct operation *op, stralloc const *text)
{
    uint32_t uid, gid;

    if (!users_id("pneua", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneua");
    /* Whoever reads passwords for his living shall not be able to write them. */
    if (!durable_writeas(PASSWORDS, text->s ? text->s : "", text->len, op->root ? 0640 : 0600, geteuid(), gid))
        return service_failed(op, "write ", PASSWORDS);
    return 1;
}

/* Copies all lines but those of that mailbox and name (NULL: each), in whose place `line` goes once. */
static int
edit(stralloc const *old, char const *mailbox, char const *name, stralloc const *line, stralloc *text,
     unsigned int *found, unsigned int *others)
{
    struct bytes cursor = {old->s, old->len}, one;
    struct bytes const whose = {mailbox, strlen(mailbox)};
    struct password p;

    *found = *others = 0;
    while (take_line(&cursor, &one)) {
        int his = line_scan(one, &p) && is_mailbox(&p, whose);
        int meant = his && (!name || (p.name.len == strlen(name) && !memcmp(p.name.s, name, p.name.len)));
        *others += his && !meant;
        if (!meant && (!stralloc_catb(text, one.s, one.len) || !stralloc_append(text, '\n')))
            return 0;
        if (meant && !(*found)++ && line && !stralloc_catb(text, line->s, line->len))
            return 0;
    }
    return *found || !line || stralloc_catb(text, line->s, line->len);
}

/* Changes the file as edit says; *found as there. Nothing is written where nothing changes. */
static int
change(struct operation *op, char const *mailbox, char const *name, stralloc const *line, unsigned int *found)
{
    stralloc old = STRALLOC_ZERO, text = STRALLOC_ZERO;
    unsigned int others;
    int fd = lock(op);
    int good = fd != -1 && read_old(op, &old);

    if (good && !edit(&old, mailbox, name, line, &text, found, &others))
        good = service_failed(op, "remember ", PASSWORDS);
    if (good && line && others >= PASSWORDS_EACH_MAX) {
        errno = EDQUOT;
        good = service_failed(op, "add one more password to ", mailbox);
    }
    good = good && ((!line && !*found) || write_new(op, &text));
    int e = errno;
    if (fd != -1)
        close(fd);
    if (old.s)
        explicit_bzero(old.s, old.len);
    stralloc_free(&old);
    stralloc_free(&text);
    return (errno = e, good);
}

int
passwords_put(struct operation *op, char const *mailbox, char const *name, stralloc const *line)
{
    unsigned int found;

    return change(op, mailbox, name, line, &found);
}

int
passwords_remove(struct operation *op, char const *mailbox, char const *name, unsigned int *removed)
{
    *removed = 0;
    return change(op, mailbox, name, NULL, removed);
}

int
passwords_list(struct operation *op, char const *mailbox, stralloc *names)
{
    stralloc text = STRALLOC_ZERO;
    struct password p;
    int good = read_old(op, &text);
    struct bytes cursor = {text.s, good ? text.len : 0};

    names->len = 0;
    while (good && passwords_find(&cursor, (struct bytes){mailbox, strlen(mailbox)}, &p))
        good = (stralloc_catb(names, p.name.s, p.name.len) && stralloc_append(names, ' ') &&
                stralloc_catb(names, p.rights.s, p.rights.len) && stralloc_0(names)) ||
               service_failed(op, "remember ", PASSWORDS);
    int e = errno;
    stralloc_free(&text);
    return (errno = e, good);
}
