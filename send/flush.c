#include "send/flush.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/log.h"
#include "send/dest.h"
#include "send/message.h"
#include "send/scan.h"

#define SLICE 50       /* files that are opened before other work has its turn */
#define ENTRIES 100000 /* entries that are passed over likewise */

void
flush_ask(struct send *s, char const *domain)
{
    struct flush *f = &s->flush;
    char *name;
    size_t i = 0;
    unsigned int k = 0;

    if (f->count == FLUSHES) { /* so many: all of it */
        f->count = 0;
        scan_flush(s);
        return;
    }
    name = f->names[f->count];
    for (; domain[i] && i + 1 < TRIGGER_WORD; i++)
        name[i] = (char)tolower((unsigned char)domain[i]);
    name[i] = 0;
    s->asked = s->clock.boot;
    dest_revive(s, name);
    while (strcmp(f->names[k], name) != 0)
        k++;
    f->left[k] = s->table.used;
    f->count += k == f->count;
}

static int
is_wanted(struct flush const *f, struct bytes address)
{
    char const *at = memrchr(address.s, '@', address.len);
    size_t len = at ? address.len - (size_t)(at - address.s) - 1 : 0;

    for (unsigned int i = 0; i < f->count; i++)
        if (len && strlen(f->names[i]) == len && !strncasecmp(f->names[i], at + 1, len))
            return 1;
    return 0;
}

static int
has_wanted(struct flush const *f, struct file const *file)
{
    struct bytes cursor = file->envelope;
    struct record r;
    uint32_t i = 0;

    while (envelope_recipient(&cursor, &r)) {
        char status = file->status[i++];
        if (status != STATUS_DONE && status != STATUS_SUCCEEDED && status != STATUS_BOUNCED && is_wanted(f, r.value))
            return 1;
    }
    return 0;
}

static void
look(struct send *s, uint32_t n)
{
    struct entry *e = s->table.entries + n;
    struct file file = FILE_ZERO;
    char path[MESSAGE_PATH], id[ID_SIZE];
    char const *why;
    int fd;

    table_id(&s->table, n, id);
    message_path(path, id, (e->flags & ENTRY_WAITS) != 0);
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return;
    if (file_read(fd, &file, &why) == 1 && has_wanted(&s->flush, &file)) {
        e->flags |= ENTRY_NOW;
        if (e->key > s->clock.boot / 1000)
            message_later(s, n, 0);
        s->flush.found++;
    }
    file_free(&file);
    close(fd);
}

/* Names that have seen all entries are done. */
static void
count_down(struct flush *f)
{
    struct log l;

    for (unsigned int k = 0; k < f->count;) {
        if (f->left[k]) {
            f->left[k++]--;
            continue;
        }
        log_start(&l, "flushed");
        log_str(&l, "domain", f->names[k]);
        log_uint(&l, "found", f->found);
        log_end(&l);
        f->count--;
        memmove(f->names[k], f->names[f->count], sizeof f->names[k]);
        f->left[k] = f->left[f->count];
    }
    if (!f->count)
        f->found = 0;
}

int
flush_run(struct send *s)
{
    struct flush *f = &s->flush;
    unsigned int opened = 0;

    for (unsigned int i = 0; f->count && i < ENTRIES && opened < SLICE; i++) {
        count_down(f);
        if (!f->count)
            break;
        if (f->at >= s->table.used)
            f->at = 0;
        if (s->table.entries[f->at].place == TABLE_WAIT) {
            look(s, f->at);
            opened++;
        }
        f->at++;
    }
    return f->count != 0;
}
