#include "access/rules.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <s6/accessrules.h>
#include <skalibs/cdb.h>
#include <skalibs/djbunix.h>

#define PATH_SIZE 4096
#define REFUSAL_MAX 400

struct source {
    struct rules *rules;
    char const *folder; /* NULL: the cdb */
    cdb cdb;
    char const *host;
};

/* FOLDER/KEY/NAME. Returns 1, or 0 with ENAMETOOLONG. */
static int
path_of(char to[static PATH_SIZE], struct source const *s, char const *key, size_t len, char const *name)
{
    size_t n = strlen(s->folder), m = strlen(name);

    if (n + len + m + 3 > PATH_SIZE)
        return (errno = ENAMETOOLONG, 0);
    memcpy(to, s->folder, n);
    to[n++] = '/';
    memcpy(to + n, key, len);
    n += len;
    to[n++] = '/';
    memcpy(to + n, name, m + 1);
    return 1;
}

/* 1 if that is there and can be read, 0 if it is not there, else -1. */
static int
readable(struct source const *s, char const *key, size_t len, char const *name)
{
    char path[PATH_SIZE];

    if (!path_of(path, s, key, len, name))
        return -1;
    if (access(path, R_OK) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

static int
read_refusal(struct source const *s, char const *key, size_t len)
{
    char path[PATH_SIZE], text[REFUSAL_MAX];
    ssize_t n = path_of(path, s, key, len, "deny") ? openreadnclose(path, text, sizeof text) : -1;

    if (n == -1)
        return 0;
    char const *end = memchr(text, '\n', (size_t)n);
    return stralloc_copyb(&s->rules->refusal, text, end ? (size_t)(end - text) : (size_t)n) &&
           (!s->rules->refusal.len || stralloc_0(&s->rules->refusal));
}

/* libs6 takes a rule that it may not read for one that is not there, and would go on to a wider one. */
static s6_accessrules_result_t
ask_folder(struct source const *s, char const *key, size_t len, s6_accessrules_params_t *params)
{
    int there = readable(s, key, len, "");

    if (there != 1)
        return there ? S6_ACCESSRULES_ERROR : S6_ACCESSRULES_NOTFOUND;
    if (readable(s, key, len, "allow") == -1 || readable(s, key, len, "deny") == -1 ||
        readable(s, key, len, "exec") == -1)
        return S6_ACCESSRULES_ERROR;
    s6_accessrules_result_t result = s6_accessrules_backend_fs(key, len, s->folder, params);
    if (result == S6_ACCESSRULES_DENY && !read_refusal(s, key, len))
        result = S6_ACCESSRULES_ERROR;
    return result;
}

static s6_accessrules_result_t
ask_one(char const *key, size_t len, void const *data, s6_accessrules_params_t *params)
{
    struct source const *s = data;
    s6_accessrules_result_t result =
        s->folder ? ask_folder(s, key, len, params) : s6_accessrules_backend_cdb(key, len, &s->cdb, params);

    if ((result == S6_ACCESSRULES_ALLOW || result == S6_ACCESSRULES_DENY) &&
        (!stralloc_copyb(&s->rules->rule, key, len) || !stralloc_0(&s->rules->rule)))
        result = S6_ACCESSRULES_ERROR;
    return result;
}

/* Names come before the rule for everybody. */
static s6_accessrules_result_t
ask_address(char const *key, size_t len, void const *data, s6_accessrules_params_t *params)
{
    struct source const *s = data;

    if (s->host && len > 2 && !memcmp(key + len - 2, "_0", 2)) {
        s6_accessrules_result_t result = s6_accessrules_keycheck_reversedns(s->host, s, params, ask_one);
        if (result != S6_ACCESSRULES_NOTFOUND)
            return result;
    }
    return ask_one(key, len, data, params);
}

static int
open_source(struct source *s, char const *path, int is_cdb)
{
    char names[PATH_SIZE];
    struct stat st;

    if (is_cdb)
        return cdb_init(&s->cdb, path);
    s->folder = path;
    if (stat(path, &st) == -1)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return (errno = ENOTDIR, 0);
    s->rules->names = path_of(names, s, "reversedns", 10, "") && access(names, F_OK) == 0;
    return 1;
}

int
rules_ask(struct rules *r, char const *path, int is_cdb, struct ip const *ip, char const *host)
{
    struct source s = {.rules = r, .cdb = CDB_ZERO, .host = host};
    s6_accessrules_params_t params = S6_ACCESSRULES_PARAMS_ZERO;
    s6_accessrules_keycheck_func *check = ip->is6 ? s6_accessrules_keycheck_ip6 : s6_accessrules_keycheck_ip4;

    r->verdict = RULES_NONE;
    r->names = is_cdb;
    r->rule.len = r->refusal.len = 0;
    errno = 0;
    if (!open_source(&s, path, is_cdb))
        return 0;
    s6_accessrules_result_t result = check(ip->b, &s, &params, ask_address);
    int e = errno ? errno : EPROTO;
    if (is_cdb)
        cdb_free(&s.cdb);
    r->env = params.env;
    r->exec = params.exec;
    if (result == S6_ACCESSRULES_ERROR)
        return (errno = e, 0);
    r->verdict = result == S6_ACCESSRULES_ALLOW ? RULES_ALLOW : result == S6_ACCESSRULES_DENY ? RULES_DENY : RULES_NONE;
    return 1;
}
