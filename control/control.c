#include "control/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/types.h>

#include "lib/span.h"

/* A default is written as a number or as a string; each type takes what is its
 * own. */
#define NUMBER(x) _Generic((x), int : (x), long : (x), default : 0)
#define TEXT(x) _Generic((x), int : (char const *)0, long : (char const *)0, void * : (char const *)0, default : (x))

struct setting_row const control_rows[SET_count] = {
#define SETTING(name, type, scope, fallback, largest, unit, what)                                                      \
    {#name, SETTING_##type, SCOPE_##scope, (uint32_t)NUMBER(fallback), largest},
#include "control/settings.def"
#undef SETTING
};

static char const paths[SET_count][sizeof "control/" + SETTING_NAME_MAX] = {
#define SETTING(name, type, scope, fallback, largest, unit, what) "control/" #name,
#include "control/settings.def"
#undef SETTING
};

char const *
control_default(enum setting which)
{
    switch (which) {
#define SETTING(name, type, scope, fallback, largest, unit, what)                                                      \
    case SET_##name:                                                                                                   \
        return TEXT(fallback);
#include "control/settings.def"
#undef SETTING
    case SET_count:
        break;
    }
    return NULL;
}

char const *
control_homename(void)
{
    char const *home = getenv("PNEU_HOME");

    return home && *home ? home : CONTROL_HOME;
}

int
control_home(void)
{
    return chdir(control_homename()) == 0;
}

char const *
control_path(enum setting which)
{
    return paths[which];
}

int
control_isnumber(enum setting which)
{
    enum setting_type type = control_rows[which].type;

    return type == SETTING_INT || type == SETTING_TIME || type == SETTING_BOOL;
}

int
control_scan(enum setting which, char const *text, uint32_t *value)
{
    struct setting_row const *row = control_rows + which;
    uint32_t n;

    if (!uint320_scan(text, &n) && (row->type != SETTING_TIME || text[span_scan(text, &n)] || !*text))
        return (errno = EPROTO, 0);
    if (n > row->largest)
        return (errno = EPROTO, 0);
    *value = n;
    return 1;
}

/* ---- one file ---- */

/* Reads a whole file. Returns 1, 0 if there is none, -1 with errno. */
static int
read_file(char const *path, stralloc *to)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = 1;

    to->len = 0;
    if (fd == -1)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size > CONTROL_FILE_MAX) {
        close(fd);
        return (errno = EPROTO, -1);
    }
    /* A read that comes back short was the last: it is a regular file. */
    while (n > 0 && to->len <= CONTROL_FILE_MAX) {
        if (!stralloc_readyplus(to, (size_t)st.st_size + 1 > to->len ? (size_t)st.st_size + 1 - to->len : 4096)) {
            n = -1;
            break;
        }
        size_t room = to->a - to->len;
        n = read(fd, to->s + to->len, room);
        if (n >= 0) {
            to->len += (size_t)n;
            n = (size_t)n == room;
        } else if (errno == EINTR)
            n = 1;
    }
    int e = errno;
    close(fd);
    return n == 0 ? 1 : (errno = n > 0 ? EPROTO : e, -1);
}

static int
controls(unsigned char const *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
            return 1;
    return 0;
}

/* Leaves the lines that say something, each ended by NUL; blanks at both ends
 * and comments go. Returns 1, or 0 with EPROTO if one is too long or holds
 * control characters. */
static int
tidy(stralloc *text, size_t longest)
{
    size_t to = 0;

    for (size_t at = 0; at < text->len;) {
        char *newline = memchr(text->s + at, '\n', text->len - at);
        size_t end = newline ? (size_t)(newline - text->s) : text->len;
        size_t next = end + 1;
        while (at < end && (text->s[at] == ' ' || text->s[at] == '\t'))
            at++;
        while (end > at && (text->s[end - 1] == ' ' || text->s[end - 1] == '\t' || text->s[end - 1] == '\r'))
            end--;
        if (end > at && text->s[at] != '#') {
            if (end - at > longest || controls((unsigned char const *)text->s + at, end - at))
                return (errno = EPROTO, 0);
            memmove(text->s + to, text->s + at, end - at);
            to += end - at;
            text->s[to++] = 0;
        }
        at = next;
    }
    text->len = to;
    return 1;
}

/* ---- where a setting is looked up ---- */

static int
folder_name(char const *domain)
{
    size_t len = strlen(domain);

    return len && len <= 255 && *domain != '.' && !strchr(domain, '/') && !controls((unsigned char const *)domain, len);
}

/* Reads control/FOLDER/[.]WHO/NAME. Returns as read_file. */
static int
look_in(char const *folder, char const *dot, char const *who, enum setting which, stralloc *to)
{
    char path[1024];
    char const *const parts[] = {"control/", folder, "/", dot, who, "/", control_rows[which].name};
    size_t len = 0;

    for (unsigned int i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i]);
        if (len + n >= sizeof path)
            return 0;
        memcpy(path + len, parts[i], n);
        len += n;
    }
    path[len] = 0;
    return read_file(path, to);
}

static int
look_up(enum setting which, char const *domain, stralloc *to)
{
    enum setting_scope scope = control_rows[which].scope;
    int got = 0;

    if (scope == SCOPE_SERVER) {
        char const *server = getenv("PNEU_SERVER");
        if (server && folder_name(server))
            got = look_in("servers", "", server, which, to);
    } else if (domain && folder_name(domain) && scope == SCOPE_DOMAIN)
        got = look_in("domain", "", domain, which, to);
    else if (domain && folder_name(domain) && scope == SCOPE_REMOTE) {
        got = look_in("remote", "", domain, which, to);
        for (char const *dot = strchr(domain, '.'); !got && dot && dot[1]; dot = strchr(dot + 1, '.'))
            got = look_in("remote", ".", dot + 1, which, to);
        if (!got)
            got = look_in("remote", "", "default", which, to);
    }
    return got ? got : read_file(paths[which], to);
}

static int
is_folder(char const *dot, char const *who)
{
    char path[sizeof "control/remote/." + 256] = "control/remote/";
    size_t len = strlen(who);

    if (len > 255)
        return 0;
    memcpy(path + strlen(path), dot, strlen(dot) + 1);
    memcpy(path + strlen(path), who, len + 1);
    return access(path, F_OK) == 0;
}

int
control_remote(char const *domain)
{
    if (!folder_name(domain))
        return 0;
    if (is_folder("", domain) || is_folder("", "default"))
        return 1;
    for (char const *dot = strchr(domain, '.'); dot && dot[1]; dot = strchr(dot + 1, '.'))
        if (is_folder(".", dot + 1))
            return 1;
    return 0;
}

#define REMOTES_MAX 64 /* names that are looked through for each domain */

int
control_remotes(stralloc *names)
{
    DIR *folder = opendir("control/remote");
    struct dirent *entry;
    unsigned int n = 0;
    int e;

    names->len = 0;
    if (!folder)
        return errno == ENOENT ? 0 : -1;
    while (errno = 0, (entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (++n > REMOTES_MAX)
            errno = E2BIG;
        if (errno || !stralloc_catb(names, entry->d_name, strlen(entry->d_name) + 1))
            break;
    }
    e = errno;
    closedir(folder);
    errno = e;
    return e ? -1 : 1;
}

int
control_remote_in(stralloc const *names, char const *domain)
{
    return folder_name(domain) &&
           (control_holds(names, domain, strlen(domain), 1) || control_holds(names, "default", strlen("default"), 0));
}

/* ---- which are there ---- */

/* Marks the settings among the names in a folder. Returns 1, or 0 with errno. A folder that is not there has none. */
static int
mark_names(char const *path, unsigned char *present)
{
    char names[1024] __attribute__((aligned(8)));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n = 0;

    if (fd == -1)
        return errno == ENOENT || errno == ENOTDIR;
    while ((n = syscall(SYS_getdents64, fd, names, sizeof names)) > 0)
        for (long at = 0; at < n;) {
            struct dirent64 const *entry = (struct dirent64 const *)(void const *)(names + at);
            for (enum setting i = 0; i < SET_count; i++)
                if (!present[i])
                    present[i] = !strcmp(entry->d_name, control_rows[i].name);
            at += entry->d_reclen;
        }
    close(fd);
    return n == 0;
}

void
control_present(unsigned char present[static SET_count])
{
    char path[sizeof "control/servers/" + 255] = "control/servers/";
    char const *server = getenv("PNEU_SERVER");

    memset(present, 0, SET_count);
    if (server && folder_name(server)) {
        memcpy(path + strlen(path), server, strlen(server) + 1);
        if (!mark_names(path, present))
            memset(present, 1, SET_count);
    }
    if (!mark_names("control", present))
        memset(present, 1, SET_count);
}

/* ---- the readers ---- */

int
control_uint_of(enum setting which, char const *domain, uint32_t *value)
{
    stralloc text = STRALLOC_ZERO;
    int got = look_up(which, domain, &text);

    *value = control_rows[which].number;
    if (got == 1)
        got = tidy(&text, 20) ? (!text.len || control_scan(which, text.s, value) ? 1 : -1) : -1;
    int e = errno;
    stralloc_free(&text);
    return got >= 0 ? 1 : (errno = e, 0);
}

int
control_uint(enum setting which, uint32_t *value)
{
    return control_uint_of(which, 0, value);
}

int
control_uints(struct control_number const *numbers, size_t n, char const **which)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t value;
        if (!control_uint(numbers[i].setting, &value)) {
            *which = control_path(numbers[i].setting);
            return 0;
        }
        *numbers[i].value = value;
    }
    return 1;
}

/* The default of a text: of "@name" the value of that setting. */
static int
fallback(enum setting which, char const *domain, stralloc *value)
{
    char const *text = control_default(which);

    if (!text)
        return 0;
    if (*text != '@') {
        value->len = 0;
        return stralloc_catb(value, text, strlen(text) + 1) ? 1 : -1;
    }
    for (enum setting other = 0; other < SET_count; other++)
        if (!strcmp(control_rows[other].name, text + 1)) {
            int got = control_line_of(other, domain, value);
            if (got == 1)
                value->len++;
            return got;
        }
    return (errno = EINVAL, -1);
}

static int
read_text(enum setting which, char const *domain, stralloc *value)
{
    int got;

    value->len = 0;
    got = look_up(which, domain, value);
    if (got == 1 && !tidy(value, control_rows[which].largest))
        got = -1;
    return got ? got : fallback(which, domain, value);
}

int
control_line_of(enum setting which, char const *domain, stralloc *value)
{
    int got = read_text(which, domain, value);

    if (got == 1) { /* the first line; a file without one says: no value */
        got = value->len != 0;
        value->len = got ? strlen(value->s) : 0;
    }
    return got;
}

int
control_line(enum setting which, stralloc *value)
{
    return control_line_of(which, 0, value);
}

int
control_list_of(enum setting which, char const *domain, stralloc *value)
{
    return read_text(which, domain, value);
}

int
control_list(enum setting which, stralloc *value)
{
    return read_text(which, 0, value);
}

int
control_spans_of(enum setting which, char const *domain, uint32_t *seconds, unsigned int max)
{
    stralloc text = STRALLOC_ZERO;
    int got = read_text(which, domain, &text);

    if (got == 1)
        got = span_list(text.s, text.len, seconds, max);
    int e = errno;
    stralloc_free(&text);
    return (errno = e, got);
}

int
control_rate_of(enum setting which, char const *domain, uint32_t *number, uint32_t *seconds)
{
    stralloc text = STRALLOC_ZERO;
    int got = control_line_of(which, domain, &text);

    *number = 0;
    if (got == 1)
        got = span_rate(text.s, number, seconds) ? 1 : -1;
    int e = errno;
    stralloc_free(&text);
    return got >= 0 ? 1 : (errno = e, *number = 0, 0);
}

/* ---- for the operator's tools ---- */

static size_t
items(stralloc const *list)
{
    size_t n = 0;

    for (size_t at = 0; at < list->len; at++)
        n += !list->s[at];
    return n;
}

int
control_parse(enum setting which, stralloc *text)
{
    enum setting_type type = control_rows[which].type;
    int number = control_isnumber(which);
    uint32_t value, seconds;

    if (!tidy(text, number ? 20 : control_rows[which].largest))
        return 0;
    if (type != SETTING_LIST && type != SETTING_TABLE && type != SETTING_SPANS && items(text) > 1)
        return (errno = EPROTO, 0);
    if (type == SETTING_SPANS)
        return span_list(text->s, text->len, &value, 1) != -1;
    if (type == SETTING_RATE && text->len)
        return span_rate(text->s, &value, &seconds);
    for (size_t at = 0; at < text->len; at += strlen(text->s + at) + 1)
        if ((number && !control_scan(which, text->s + at, &value)) ||
            (type == SETTING_TABLE && !strchr(text->s + at, ':')))
            return (errno = EPROTO, 0);
    return 1;
}

int
control_file(enum setting which, char const *path, stralloc *value)
{
    int got = read_file(path, value);

    return got != 1 ? got : control_parse(which, value) ? 1 : -1;
}

enum setting
control_named(char const *name)
{
    enum setting which = 0;

    while (which < SET_count && strcmp(control_rows[which].name, name))
        which++;
    return which;
}

/* ---- tables in memory ---- */

static char const *
find_item(stralloc const *list, char const *item, size_t len)
{
    for (size_t at = 0; at < list->len;) {
        size_t n = strlen(list->s + at);
        if (n == len && !strncasecmp(list->s + at, item, len))
            return list->s + at;
        at += n + 1;
    }
    return 0;
}

int
control_holds(stralloc const *list, char const *item, size_t len, int below)
{
    if (find_item(list, item, len))
        return 1;
    for (size_t i = 1; below && i < len; i++)
        if (item[i] == '.' && find_item(list, item + i, len - i))
            return 1;
    return 0;
}

char const *
control_value(stralloc const *table, char const *key, size_t len)
{
    for (size_t at = 0; at < table->len;) {
        char const *line = table->s + at;
        char const *colon = strchr(line, ':');
        if (colon && (size_t)(colon - line) == len && !strncasecmp(line, key, len))
            return colon + 1;
        at += strlen(line) + 1;
    }
    return 0;
}
