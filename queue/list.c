#include "queue/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/confine.h"
#include "lib/log.h"
#include "queue/envelope.h"
#include "queue/file.h"
#include "queue/id.h"

#define PATH_LEN (64 + ID_SIZE)
#define WHY_MAX 200           /* bytes of a reason shown */
#define LOG_READ_MAX 16777216 /* bytes of a file's log */
#define COPYING 600           /* seconds: so young a file without a right header is still being copied here */

int
list_confine(void)
{
    static struct confine_path const paths[] = {{"queue", CONFINE_PATH_READ}};
    static struct confine const c = {
        .may = CONFINE_READ,
        .paths = paths,
        .npaths = 1,
        .as = 1073741824, /* the names of ten million messages */
        .nofile = 16,
        .fsize = CONFINE_SAME, /* its output may be a file */
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

static int
compare(void const *a, void const *b)
{
    return memcmp(a, b, ID_SIZE);
}

int
list_names(stralloc *to, char const *folder)
{
    size_t begin = to->len;
    DIR *d = opendir(folder);
    struct dirent *e;

    if (!d)
        return 0;
    while (errno = 0, (e = readdir(d)))
        if (id_valid(e->d_name, strlen(e->d_name)) && !stralloc_catb(to, e->d_name, ID_SIZE))
            break;
    int failed = errno;
    closedir(d);
    if (failed)
        return (errno = failed, 0);
    if (to->len > begin)
        qsort(to->s + begin, (to->len - begin) / ID_SIZE, ID_SIZE, compare);
    return 1;
}

int
list_holds(stralloc const *names, char const *id)
{
    return names->len && bsearch(id, names->s, names->len / ID_SIZE, ID_SIZE, compare);
}

static int
put_uint(stralloc *to, uint64_t n)
{
    char digits[UINT64_FMT + 1];
    size_t len = uint64_fmt(digits, n);

    digits[len++] = ' ';
    return stralloc_catb(to, digits, len);
}

static int
put_address(stralloc *to, struct bytes address)
{
    return stralloc_catb(to, "<", 1) && log_escape(to, address.s, address.len, 0) && stralloc_catb(to, ">", 1);
}

static int
put_start(stralloc *to, char const *id, char const *state)
{
    return stralloc_cats(to, id) && stralloc_catb(to, " ", 1) && stralloc_cats(to, state) && stralloc_catb(to, " ", 1);
}

/* What the log says. */
struct history {
    uint64_t tries;
    struct file_event last;
    stralloc text;
};

static int
read_history(int fd, struct file const *f, struct history *h)
{
    off_t begin = file_log(&f->header);
    struct stat st;
    struct bytes log;
    struct file_event e;
    uint64_t before = 0;

    if (fstat(fd, &st) == -1)
        return 0;
    off_t len = st.st_size - begin;
    if (len > LOG_READ_MAX)
        len = LOG_READ_MAX;
    if (len <= 0)
        return 1;
    if (!stralloc_ready(&h->text, (size_t)len))
        return 0;
    ssize_t n = pread(fd, h->text.s, (size_t)len, begin);
    if (n == -1)
        return 0;
    log.s = h->text.s;
    log.len = (size_t)n;
    while (file_event_next(&log, &e)) {
        h->tries += !h->tries || e.time != before; /* one attempt may have several replies */
        before = e.time;
        h->last = e;
    }
    return 1;
}

static int
put_last(stralloc *to, struct file_event const *e)
{
    return stralloc_catb(to, &e->class, 1) && stralloc_catb(to, " ", 1) && stralloc_catb(to, e->code.s, e->code.len) &&
           stralloc_catb(to, " ", 1) && stralloc_catb(to, e->text.s, e->text.len);
}

static char const *
status_word(char status)
{
    switch (status) {
    case STATUS_DONE:
        return "  done ";
    case STATUS_SUCCEEDED:
        return "  delivered ";
    case STATUS_FAILED:
        return "  failed ";
    case STATUS_BOUNCED:
        return "  bounced ";
    default:
        return "  todo ";
    }
}

static int
put_recipients(stralloc *to, struct file const *f)
{
    struct bytes cursor = f->envelope;
    struct record r;
    uint32_t i = 0;

    while (envelope_next(&cursor, &r) == 1) {
        if (!record_is(&r, "to"))
            continue;
        if (!stralloc_cats(to, status_word(f->status[i])) || !put_address(to, r.value) || !stralloc_catb(to, "\n", 1))
            return 0;
        i++;
    }
    return 1;
}

static int
put_done(stralloc *to, struct file const *f)
{
    uint64_t done = 0;

    for (uint32_t i = 0; i < f->header.recipients; i++)
        done += f->status[i] == STATUS_DONE || f->status[i] == STATUS_SUCCEEDED || f->status[i] == STATUS_BOUNCED;
    if (!put_uint(to, done))
        return 0;
    to->s[to->len - 1] = '/';
    return put_uint(to, f->header.recipients);
}

static int
put_message(struct list const *l, stralloc *to, struct file const *f, struct history const *h, struct stat const *st,
            int waits)
{
    struct bytes from = {"", 0}, value;
    struct record r = {.namelen = 0};
    uint64_t arrived = (uint64_t)st->st_mtime;
    uint64_t next = (uint64_t)st->st_mtime > l->now ? (uint64_t)st->st_mtime - l->now : 0;

    if (envelope_find(f->envelope, "time", &value) == 1) {
        r.value = value;
        record_uint(&r, &arrived);
    }
    envelope_find(f->envelope, "from", &from);
    return put_uint(to, l->now > arrived ? l->now - arrived : 0) && put_uint(to, f->header.message) &&
           put_uint(to, h->tries) && (waits ? put_uint(to, next) : stralloc_catb(to, "- ", 2)) && put_done(to, f) &&
           put_address(to, from) && stralloc_catb(to, " ", 1) &&
           (h->tries ? put_last(to, &h->last) : stralloc_catb(to, "-", 1)) && stralloc_catb(to, "\n", 1) &&
           put_recipients(to, f);
}

static int
put_damaged(struct list *l, stralloc *to, struct stat const *st, char const *state, char const *why)
{
    int young = strcmp(state, "bad") != 0 && (uint64_t)st->st_mtime + COPYING > l->now;

    l->damaged += !young;
    return stralloc_catb(to, "- ", 2) && put_uint(to, (uint64_t)st->st_size) &&
           stralloc_cats(to, young ? "- - - - incomplete: " : "- - - - damaged: ") &&
           log_escape(to, why, strlen(why), 1) && stralloc_catb(to, "\n", 1);
}

/* What pneu-send wrote beside a damaged file, one line. */
static void
read_why(char const *path, char why[static WHY_MAX])
{
    char name[PATH_LEN + 4];
    int fd;

    snprintf(name, sizeof name, "%s.why", path);
    fd = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd == -1 ? -1 : read(fd, why, WHY_MAX - 1);
    if (fd != -1)
        close(fd);
    why[n > 0 ? n : 0] = 0;
    why[strcspn(why, "\n")] = 0;
}

/* Reads and prints it. Returns 1, or 0 with errno. */
static int
list_open(struct list *l, stralloc *to, int fd, char const *path, char const *state)
{
    struct file f = FILE_ZERO;
    struct history h = {.text = STRALLOC_ZERO};
    char beside[WHY_MAX] = "";
    char const *why = "the message's checksum is wrong";
    struct stat st;
    int good = fstat(fd, &st) == -1 ? -1 : file_read(fd, &f, &why);
    int done;

    if (good == 1 && l->prove)
        good = file_prove(fd, &f.header);
    if (good == 1 && !read_history(fd, &f, &h))
        good = -1;
    if (!strcmp(state, "bad") && good != -1)
        read_why(path, beside);
    if (good == 1 && !*beside)
        done = put_message(l, to, &f, &h, &st, !strcmp(state, "wait"));
    else
        done = good != -1 && put_damaged(l, to, &st, state, *beside ? beside : why);
    file_free(&f);
    stralloc_free(&h.text);
    return done;
}

int
list_file(struct list *l, stralloc *to, char const *folder, char const *state, char const *id)
{
    size_t begin = to->len;
    char path[PATH_LEN];
    int fd, done;

    snprintf(path, sizeof path, "%s/%s", folder, id);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1)
        return errno == ENOENT;
    done = put_start(to, id, state) && list_open(l, to, fd, path, state);
    int e = errno;
    close(fd);
    if (done)
        l->messages++;
    else
        to->len = begin;
    errno = e;
    return done;
}
