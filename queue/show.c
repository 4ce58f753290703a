#include "queue/show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/envelope.h"
#include "queue/list.h"

static int
put_time(stralloc *to, uint64_t seconds)
{
    char text[64];
    time_t t = seconds > 253402300799u ? 253402300799 : (time_t)seconds; /* the end of the year 9999 */
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return 0;
    return stralloc_catb(to, text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm));
}

/* "3d 4h", "12m 5s": the two greatest units. */
static int
put_span(stralloc *to, uint64_t seconds)
{
    static struct {
        uint64_t length;
        char name;
    } const units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    char text[64];
    unsigned int i = 0;

    while (i < 3 && seconds < units[i].length)
        i++;
    int n = snprintf(text, sizeof text, "%llu%c", (unsigned long long)(seconds / units[i].length), units[i].name);
    if (i < 3)
        n += snprintf(text + n, sizeof text - (size_t)n, " %llu%c",
                      (unsigned long long)(seconds % units[i].length / units[i + 1].length), units[i + 1].name);
    return stralloc_catb(to, text, (size_t)n);
}

static int
put_next(stralloc *to, struct item const *i, uint64_t now)
{
    uint64_t next = list_next(i, now);

    if (i->state == ITEM_HOLD || i->state == ITEM_BAD)
        return stralloc_cats(to, "none: it is set aside\n");
    if (!next)
        return stralloc_cats(to, "now\n");
    return put_time(to, (uint64_t)i->st.st_mtime) && stralloc_cats(to, ", in ") && put_span(to, next) &&
           stralloc_cats(to, "\n");
}

int
show_head(stralloc *to, struct item const *i, uint64_t now)
{
    char text[96];
    int n = snprintf(text, sizeof text, "size     %llu\ntries    %llu\n", (unsigned long long)i->file.header.message,
                     (unsigned long long)i->tries);

    return stralloc_cats(to, "id       ") && stralloc_cats(to, i->id) && stralloc_cats(to, "\nfile     ") &&
           stralloc_cats(to, i->path) && stralloc_cats(to, "\narrived  ") && put_time(to, i->arrival) &&
           stralloc_cats(to, ", ") && put_span(to, now > i->arrival ? now - i->arrival : 0) &&
           stralloc_cats(to, " ago\n") && stralloc_catb(to, text, (size_t)n) && stralloc_cats(to, "next     ") &&
           put_next(to, i, now) &&
           (!*i->held || (stralloc_cats(to, "held by  ") && list_held(to, i) && stralloc_cats(to, "\n"))) &&
           (!*i->beside || (stralloc_cats(to, "why      ") && log_escape(to, i->beside, strlen(i->beside), 1) &&
                            stralloc_cats(to, "\n")));
}

int
show_envelope(stralloc *to, struct item const *i)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;
    char text[64];

    while (envelope_next(&cursor, &r) == 1) {
        int is_recipient = record_is(&r, "to");
        int len = 0;
        if (is_recipient) {
            len = snprintf(text, sizeof text, "%u %s ", (unsigned int)n, list_status(i->file.status[n]));
            n++;
        }
        if (!stralloc_cats(to, !n || is_recipient ? "  " : "    ") || !stralloc_catb(to, text, (size_t)len) ||
            !stralloc_catb(to, r.name, r.namelen) || !stralloc_catb(to, "=", 1) ||
            !log_escape(to, r.value.s, r.value.len, 1) || !stralloc_catb(to, "\n", 1))
            return 0;
    }
    return 1;
}

/* An LF between the lines of a reply is \x0a in the log. */
static int
put_reply(stralloc *to, struct bytes text)
{
    for (;;) {
        char const *newline = text.len ? memmem(text.s, text.len, "\\x0a", 4) : 0;
        struct bytes line = {text.s, newline ? (size_t)(newline - text.s) : text.len};
        if (!stralloc_cats(to, "      ") || !list_printable(to, line) || !stralloc_cats(to, "\n"))
            return 0;
        if (!newline)
            return 1;
        text.s += line.len + 4;
        text.len -= line.len + 4;
    }
}

static int
put_event(stralloc *to, struct file_event const *e)
{
    char const *word = e->class == 'K'              ? " delivered"
                       : e->class == 'Z'            ? " deferred"
                       : e->class == 'D'            ? " failed"
                       : e->class == 'W'            ? " notice"
                       : e->class == EVENT_OPERATOR ? " operator"
                                                    : " unknown";

    return stralloc_cats(to, "  ") && put_time(to, e->time) && stralloc_cats(to, word) &&
           (!e->code.len || (stralloc_cats(to, " ") && list_printable(to, e->code))) &&
           (!e->to.len || (stralloc_cats(to, " recipients ") && list_printable(to, e->to))) &&
           (!e->remote.len || (stralloc_cats(to, " by ") && list_printable(to, e->remote))) &&
           stralloc_cats(to, "\n") && put_reply(to, e->text) &&
           (!e->next || (stralloc_cats(to, "      next ") && put_time(to, e->next) && stralloc_cats(to, "\n")));
}

int
show_history(stralloc *to, struct item const *i)
{
    struct bytes log = {i->log.s, i->log.len};
    struct file_event e;

    while (file_event_next(&log, &e))
        if (!put_event(to, &e))
            return 0;
    return 1;
}

int
show_bodystart(struct item const *i, off_t *at)
{
    char block[4096];
    off_t end = file_envelope(&i->file.header);
    char before = '\n';

    for (*at = FILE_HEADER; *at < end;) {
        size_t len = end - *at < (off_t)sizeof block ? (size_t)(end - *at) : sizeof block;
        ssize_t n = pread(i->fd, block, len, *at);
        if (n <= 0)
            return n == 0 ? (errno = EIO, 0) : 0;
        for (ssize_t k = 0; k < n; k++) {
            if (block[k] == '\n' && before == '\n') {
                *at += k + 1;
                return 1;
            }
            before = block[k];
        }
        *at += n;
    }
    return 1;
}
