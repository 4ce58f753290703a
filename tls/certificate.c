#include "tls/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "control/command.h"
#include "control/control.h"
#include "control/users.h"
#include "lib/durable.h"
#include "lib/tlspem.h"
#include "tls/keystore.h"

#define PATH_SIZE (sizeof KEYSTORE_FOLDER + KEYWIRE_NAME_MAX + 32)
#define NAMES_MAX 100

int
certificate_name(char const *name)
{
    name += *name == '.';
    return keywire_name(name, strlen(name));
}

static char const *
path_of(char path[static PATH_SIZE], char const *name, char const *file)
{
    stpcpy(stpcpy(stpcpy(stpcpy(path, KEYSTORE_FOLDER "/"), name), file ? "/" : ""), file ? file : "");
    return path;
}

/* ---- openssl ---- */

/* Runs it; what it prints is `out`, without what was there, with a NUL behind it. Returns its exit code, or -1 with errno. */
static int
openssl(struct operation *op, char const *const *argv, stralloc *out)
{
    out->len = 0;
    int code = command_run(argv, out);

    if (code == -1 || !stralloc_0(out)) {
        service_failed(op, "run ", "openssl");
        return -1;
    }
    out->len--;
    return code;
}

/* The same, but what it says on stderr is heard only if it fails: openssl req draws lines there. */
static int
openssl_quiet(struct operation *op, char const *const *argv, stralloc *out)
{
    int real = fcntl(2, F_DUPFD_CLOEXEC, 3), said = real == -1 ? -1 : memfd_create("said", MFD_CLOEXEC);
    int code = said == -1 || dup2(said, 2) != -1 ? openssl(op, argv, out) : -1, e = errno;
    char words[1024];
    ssize_t n;

    if (said != -1) {
        (void)dup2(real, 2);
        for (off_t at = 0; code && (n = pread(said, words, sizeof words, at)) > 0; at += n)
            (void)!write(2, words, (size_t)n);
        close(said);
    }
    if (real != -1)
        close(real);
    return (errno = e, code);
}

/* "subjectAltName=DNS:a,DNS:b", and "/CN=a" where that is not too long for it. */
static int
put_names(char const *const *names, stralloc *alternatives, stralloc *subject)
{
    if (!names[0])
        return (errno = EINVAL, 0);
    if (!stralloc_copys(alternatives, "subjectAltName=") || !stralloc_copys(subject, "/"))
        return 0;
    for (size_t i = 0; names[i]; i++)
        if (!stralloc_cats(alternatives, i ? ",DNS:" : "DNS:") ||
            !stralloc_cats(alternatives, *names[i] == '.' ? "*" : "") || !stralloc_cats(alternatives, names[i]))
            return 0;
    if (strlen(names[0]) <= 63 &&
        (!stralloc_cats(subject, "CN=") || !stralloc_cats(subject, *names[0] == '.' ? "*" : "") ||
         !stralloc_cats(subject, names[0])))
        return 0;
    return stralloc_0(alternatives) && stralloc_0(subject);
}

/* openssl req, for a request or, with `days`, a certificate. Both key and that come in `out`. */
static int
make(struct operation *op, char const *const *names, int rsa, unsigned int days, stralloc *out)
{
    stralloc alternatives = STRALLOC_ZERO, subject = STRALLOC_ZERO;
    char number[16];
    char const *argv[24] = {"openssl", "req", "-batch", "-nodes", "-newkey", rsa ? "rsa:2048" : "ec"};
    size_t n = 6;
    int good = put_names(names, &alternatives, &subject);
    int code = -1;

    (void)snprintf(number, sizeof number, "%u", days);
    if (!rsa) {
        argv[n++] = "-pkeyopt";
        argv[n++] = "ec_paramgen_curve:P-256";
    }
    argv[n++] = days ? "-x509" : "-new";
    if (days) {
        argv[n++] = "-days";
        argv[n++] = number;
    }
    argv[n++] = "-subj";
    argv[n++] = subject.s;
    argv[n++] = "-addext";
    argv[n++] = alternatives.s;
    argv[n++] = "-keyout";
    argv[n++] = "-";
    argv[n++] = "-out";
    argv[n++] = "-";
    if (good)
        code = openssl_quiet(op, argv, out);
    stralloc_free(&alternatives);
    stralloc_free(&subject);
    if (code > 0)
        errno = ECHILD;
    return code == 0 ? 1 : service_failed(op, "run ", "openssl req");
}

/* The PEM block that begins so, with its last line. */
static int
cut_block(stralloc const *from, char const *begin, stralloc *block)
{
    char const *s = from->s ? strstr(from->s, begin) : NULL;
    char const *end = s ? strstr(s, "\n-----END ") : NULL;

    end = end ? strchr(end + 1, '\n') : NULL;
    return end ? stralloc_copyb(block, s, (size_t)(end + 1 - s)) : (errno = EPROTO, 0);
}

/* ---- files ---- */

static int
make_folder(struct operation *op, char const *name)
{
    char path[PATH_SIZE];

    return service_folder(op, KEYSTORE_FOLDER, 0755, geteuid(), getegid()) &&
           service_folder(op, path_of(path, name, NULL), 0755, geteuid(), getegid());
}

/* A key is pneut's alone. */
static int
write_key(struct operation *op, char const *name, char const *file, stralloc const *key)
{
    char path[PATH_SIZE];
    uint32_t uid, gid;

    path_of(path, name, file);
    if (!users_id("pneut", &uid, &gid))
        return service_failed(op, "find in users/ids ", "pneut");
    if (!durable_write(path, key->s, key->len, 0600, 0))
        return service_failed(op, "write ", path);
    if (geteuid() == 0 && lchown(path, uid, gid) == -1)
        return service_failed(op, "change the owner of ", path);
    if (op->changed)
        op->changed("wrote", path);
    return 1;
}

/* The other name leads to that folder; a folder of the other's own, or a link to somewhere else that is used, stays. */
static int
link_name(struct operation *op, char const *name, char const *other)
{
    char path[PATH_SIZE];

    if (!strcmp(name, other))
        return 1;
    if (symlink(name, path_of(path, other, NULL)) == -1)
        return errno == EEXIST ? 1 : service_failed(op, "make the link ", path);
    if (op->changed)
        op->changed("linked", path);
    return durable_sync(KEYSTORE_FOLDER) ? 1 : service_failed(op, "fsync ", KEYSTORE_FOLDER);
}

/* The host names of the first certificate in a file, as folders are called, NUL-terminated. Returns 1, or 0 with errno. */
static int
read_names(struct operation *op, char const *path, stralloc *names)
{
    char const *const argv[] = {"openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", path, NULL};
    stralloc out = STRALLOC_ZERO;
    int code = openssl(op, argv, &out), good = code != -1;

    names->len = 0;
    for (char *s = good ? strstr(out.s, "DNS:") : NULL; good && s;) {
        char *end = s + 4 + strcspn(s + 4, ", \n");
        char *next = *end ? strstr(end + 1, "DNS:") : NULL;
        *end = 0;
        for (char *c = s + 4; c < end; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + 32);
        s += s[4] == '*' ? 5 : 4;
        if (certificate_name(s))
            good = stralloc_catb(names, s, strlen(s) + 1);
        s = next;
    }
    stralloc_free(&out);
    return good;
}

static int
link_names(struct operation *op, char const *name)
{
    stralloc names = STRALLOC_ZERO;
    char path[PATH_SIZE];
    int good = read_names(op, path_of(path, name, "chain.pem"), &names);

    for (char const *s = names.s; good && names.len && s < names.s + names.len; s += strlen(s) + 1)
        good = link_name(op, name, s);
    good = good && link_name(op, name, "default");
    int e = errno;
    stralloc_free(&names);
    return (errno = e, good);
}

/* ---- new, csr, install ---- */

int
certificate_new(struct operation *op, char const *const *names, int rsa, unsigned int days)
{
    stralloc both = STRALLOC_ZERO, key = STRALLOC_ZERO, chain = STRALLOC_ZERO;
    int good = make(op, names, rsa, days, &both) && cut_block(&both, "-----BEGIN PRIVATE KEY-----", &key) &&
               cut_block(&both, "-----BEGIN CERTIFICATE-----", &chain) &&
               certificate_install(op, names[0], &chain, &key);

    int e = errno;
    stralloc_free(&both);
    stralloc_free(&key);
    stralloc_free(&chain);
    return (errno = e, good);
}

int
certificate_request(struct operation *op, char const *const *names, int rsa, stralloc *request)
{
    stralloc both = STRALLOC_ZERO, key = STRALLOC_ZERO;
    int good = make(op, names, rsa, 0, &both) && cut_block(&both, "-----BEGIN PRIVATE KEY-----", &key) &&
               cut_block(&both, "-----BEGIN CERTIFICATE REQUEST-----", request) && make_folder(op, names[0]) &&
               write_key(op, names[0], "next.pem", &key);

    int e = errno;
    stralloc_free(&both);
    stralloc_free(&key);
    return (errno = e, good);
}

/* Returns 1 if pneu-keyd could use the two. */
static int
belong(stralloc const *chain, stralloc const *key)
{
    br_skey_decoder_context decoded;
    stralloc list = STRALLOC_ZERO;
    int good = tlspem_chain(&list, (struct bytes){chain->s, chain->len}) &&
               tlspem_key(&decoded, (struct bytes){key->s, key->len}) &&
               tlspem_matches(&decoded, (struct bytes){list.s, list.len});

    explicit_bzero(&decoded, sizeof decoded);
    stralloc_free(&list);
    return good;
}

/* Finds the key for a chain among those in the folder. */
static int
find_key(struct operation *op, char const *name, stralloc const *chain, stralloc *key)
{
    static char const *const files[] = {"next.pem", "key.pem"};
    char path[PATH_SIZE];

    for (unsigned int i = 0; i < sizeof files / sizeof *files; i++) {
        key->len = 0;
        if (openslurpclose(key, path_of(path, name, files[i])) && belong(chain, key))
            return 1;
    }
    errno = EPROTO;
    return service_failed(op, "find the key of this certificate in tls/", name);
}

int
certificate_install(struct operation *op, char const *name, stralloc const *chain, stralloc const *key)
{
    char path[PATH_SIZE];
    stralloc found = STRALLOC_ZERO;
    int good;

    if (key && !belong(chain, key))
        return (errno = EPROTO, service_failed(op, "use this certificate with this key for ", name));
    if (!key && !find_key(op, name, chain, &found))
        return 0;
    /* In which order does not matter: pneu-keyd waits until they belong to each other. */
    good = make_folder(op, name) && write_key(op, name, "key.pem", key ? key : &found) &&
           service_file(op, path_of(path, name, "chain.pem"), chain->s, chain->len, 0644, 1) && link_names(op, name);
    if (good && unlink(path_of(path, name, "next.pem")) == 0)
        (void)durable_syncparent(path);
    int e = errno;
    stralloc_free(&found);
    return (errno = e, good);
}

/* ---- check ---- */

enum certificate_state
certificate_usable(char const *name, char const **why)
{
    struct keystore_pair *pair = keystore_read(name, why);

    if (!pair)
        return CERTIFICATE_UNUSABLE;
    keystore_release(pair);
    return CERTIFICATE_GOOD;
}

struct check {
    struct operation *op;
    char const *name;
    char chain[PATH_SIZE];
    stralloc *text, out;
    int worst; /* enum certificate_state, or -1 */
};

static void
tell(struct check *c, enum certificate_state state, char const *what, char const *which)
{
    if (c->worst != -1 && (int)state > c->worst)
        c->worst = (int)state;
    if (!stralloc_cats(c->text, c->name) || !stralloc_cats(c->text, ": ") || !stralloc_cats(c->text, what) ||
        !stralloc_cats(c->text, which) || !stralloc_cats(c->text, "\n"))
        c->worst = -1;
}

static void
check_time(struct check *c, unsigned int days)
{
    char seconds[24];
    char const *const now[] = {"openssl", "x509", "-noout", "-checkend", "0", "-in", c->chain, NULL};
    char const *const soon[] = {"openssl", "x509", "-noout", "-checkend", seconds, "-in", c->chain, NULL};
    char const *const end[] = {"openssl", "x509", "-noout", "-enddate", "-in", c->chain, NULL};
    int ended, ends;

    (void)snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)days * 86400);
    ended = openssl(c->op, now, &c->out);
    ends = openssl(c->op, soon, &c->out);
    if (ended == -1 || ends == -1 || openssl(c->op, end, &c->out) == -1) {
        c->worst = -1;
        return;
    }
    c->out.s[strcspn(c->out.s, "\n")] = 0;
    char const *when = strchr(c->out.s, '=');
    if (ended || ends)
        tell(c, CERTIFICATE_DOUBTFUL, ended ? "has expired: " : "expires soon: ", when ? when + 1 : "");
}

static void
check_host(struct check *c, char const *host)
{
    char const *const argv[] = {"openssl", "x509", "-noout", "-checkhost", host, "-in", c->chain, NULL};

    if (openssl(c->op, argv, &c->out) == -1)
        c->worst = -1;
    else if (strstr(c->out.s, "NOT match"))
        tell(c, CERTIFICATE_DOUBTFUL, "not a certificate for ", host);
}

static void
check_setting_me(struct check *c, char const *path)
{
    stralloc me = STRALLOC_ZERO;

    if (control_file(SET_me, path, &me) == 1 && me.len)
        check_host(c, me.s);
    stralloc_free(&me);
}

/* What clients ask for: the folder's name; whoever asks for none wants the host's. */
static void
check_names(struct check *c)
{
    stralloc servers = STRALLOC_ZERO, path = STRALLOC_ZERO;

    if (*c->name == '.') {
        if (stralloc_cats(&path, "any") && stralloc_catb(&path, c->name, strlen(c->name) + 1))
            check_host(c, path.s);
    } else if (strcmp(c->name, "default") != 0) {
        check_host(c, c->name);
    } else {
        check_setting_me(c, "control/me");
        if (durable_names("control/servers", &servers))
            for (char const *s = servers.s; servers.len && s < servers.s + servers.len; s += strlen(s) + 1) {
                path.len = 0;
                if (stralloc_cats(&path, "control/servers/") && stralloc_cats(&path, s) &&
                    stralloc_catb(&path, "/me", 4))
                    check_setting_me(c, path.s);
            }
    }
    stralloc_free(&servers);
    stralloc_free(&path);
}

/* "Issuer:" and "Subject:" lines of a text, in this order for each certificate: it is issued by the next one. */
static void
check_order(struct check *c)
{
    char const *const argv[] = {"openssl", "storeutl", "-certs", "-noout", "-text", c->chain, NULL};
    char const *issuer = NULL, *wanted = NULL;

    if (openssl(c->op, argv, &c->out) == -1) {
        c->worst = -1;
        return;
    }
    for (char *line = strtok(c->out.s, "\n"); line; line = strtok(NULL, "\n")) {
        line += strspn(line, " ");
        if (!strncmp(line, "Issuer: ", 8))
            issuer = line + 8;
        else if (!strncmp(line, "Subject: ", 9)) {
            if (wanted && strcmp(wanted, line + 9) != 0)
                tell(c, CERTIFICATE_DOUBTFUL, "the chain is out of order: behind a certificate must come that of ",
                     wanted);
            wanted = issuer;
        }
    }
}

static void
check_mode(struct check *c)
{
    char path[PATH_SIZE];
    struct stat st;

    if (stat(path_of(path, c->name, "key.pem"), &st) == 0 && st.st_mode & 077)
        tell(c, CERTIFICATE_DOUBTFUL, "others than pneut may read ", path);
}

int
certificate_check(struct operation *op, char const *name, unsigned int days, stralloc *text)
{
    struct check c = {.op = op, .name = name, .text = text, .out = STRALLOC_ZERO};
    char const *why;

    path_of(c.chain, name, "chain.pem");
    if (certificate_usable(name, &why) != CERTIFICATE_GOOD) {
        int e = errno;
        tell(&c, CERTIFICATE_UNUSABLE, why, "");
        return (errno = e, c.worst);
    }
    check_mode(&c);
    check_time(&c, days);
    check_names(&c);
    check_order(&c);
    int e = errno;
    stralloc_free(&c.out);
    return (errno = e, c.worst);
}
