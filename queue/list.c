#include "queue/list.h"

#include <string.h>

#include <skalibs/types.h>

#include "lib/confine.h"
#include "lib/json.h"
#include "lib/log.h"
#include "queue/envelope.h"

int
list_confine(void)
{
    static struct confine_path const paths[] = {{"queue", CONFINE_PATH_READ}, {"control", CONFINE_PATH_READ}};
    static struct confine const c = {
        .may = CONFINE_READ,
        .paths = paths,
        .npaths = 2,
        .as = 4294967296, /* the lines of ten million messages, sorted */
        .nofile = 16,
        .fsize = CONFINE_SAME, /* its output may be a file */
        .nproc = CONFINE_SAME,
    };

    return confine(&c);
}

char const *
list_status(char status)
{
    switch (status) {
    case STATUS_DONE:
        return "done";
    case STATUS_SUCCEEDED:
        return "delivered";
    case STATUS_FAILED:
        return "failed";
    case STATUS_BOUNCED:
        return "bounced";
    default:
        return "todo";
    }
}

uint64_t
list_next(struct item const *i, uint64_t now)
{
    return i->state == ITEM_WAIT && (uint64_t)i->st.st_mtime > now ? (uint64_t)i->st.st_mtime - now : 0;
}

static uint64_t
age(struct item const *i, uint64_t now)
{
    return now > i->arrival ? now - i->arrival : 0;
}

static uint32_t
done(struct file const *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->header.recipients; i++)
        n += !item_open_status(f->status[i]);
    return n;
}

/* ---- lines ---- */

static int
put_uint(stralloc *to, uint64_t n, char after)
{
    char digits[UINT64_FMT + 1];
    size_t len = uint64_fmt(digits, n);

    digits[len++] = after;
    return stralloc_catb(to, digits, len);
}

static int
put_address(stralloc *to, struct bytes address)
{
    return stralloc_catb(to, "<", 1) && log_escape(to, address.s, address.len, 0) && stralloc_catb(to, ">", 1);
}

/* Replies are escaped as they stand in the log: their backslashes stay as they are. But the log is foreign, too. */
int
list_printable(stralloc *to, struct bytes text)
{
    for (; text.len; text.s++, text.len--)
        if (!(*text.s >= 0x20 && *text.s < 0x7f ? stralloc_catb(to, text.s, 1) : log_escape(to, text.s, 1, 0)))
            return 0;
    return 1;
}

static int
put_last(stralloc *to, struct file_event const *e)
{
    return list_printable(to, (struct bytes){&e->class, 1}) && stralloc_catb(to, " ", 1) &&
           (e->code.len ? list_printable(to, e->code) : stralloc_catb(to, "-", 1)) && stralloc_catb(to, " ", 1) &&
           list_printable(to, e->text);
}

static int
put_damaged(stralloc *to, struct item const *i, char const *why, int young)
{
    return stralloc_catb(to, "- ", 2) && put_uint(to, (uint64_t)i->st.st_size, ' ') &&
           stralloc_cats(to, young ? "- - - - incomplete: " : "- - - - damaged: ") &&
           log_escape(to, why, strlen(why), 1) && stralloc_catb(to, "\n", 1);
}

static int
is_damaged(struct item const *i)
{
    return i->why || (i->state == ITEM_BAD && *i->beside);
}

int
list_line(stralloc *to, struct item const *i, uint64_t now)
{
    if (!stralloc_cats(to, i->id) || !stralloc_catb(to, " ", 1) || !stralloc_cats(to, item_word(i->state)) ||
        !stralloc_catb(to, " ", 1))
        return 0;
    if (is_damaged(i))
        return put_damaged(to, i, *i->beside ? i->beside : i->why, item_young(i, now));
    return put_uint(to, age(i, now), ' ') && put_uint(to, i->file.header.message, ' ') && put_uint(to, i->tries, ' ') &&
           (i->state == ITEM_WAIT ? put_uint(to, list_next(i, now), ' ') : stralloc_catb(to, "- ", 2)) &&
           put_uint(to, done(&i->file), '/') && put_uint(to, i->file.header.recipients, ' ') &&
           put_address(to, i->from) && stralloc_catb(to, " ", 1) &&
           (i->tries ? put_last(to, &i->last) : stralloc_catb(to, "-", 1)) && stralloc_catb(to, "\n", 1);
}

int
list_held(stralloc *to, struct item const *i)
{
    for (unsigned int n = 0; i->held[n]; n++)
        if (!stralloc_cats(to, n ? ", control/" : "control/") || !stralloc_cats(to, i->held[n]))
            return 0;
    return 1;
}

int
list_recipients(stralloc *to, struct item const *i)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;

    if (is_damaged(i))
        return 1;
    while (envelope_recipient(&cursor, &r)) {
        char const *status = list_status(i->file.status[n++]);
        if (!stralloc_catb(to, "  ", 2) || !stralloc_cats(to, status) || !stralloc_catb(to, " ", 1) ||
            !put_address(to, r.value) || !stralloc_catb(to, "\n", 1))
            return 0;
    }
    if (*i->held && (!stralloc_cats(to, "  why held by ") || !list_held(to, i) || !stralloc_catb(to, "\n", 1)))
        return 0;
    return !*i->beside || (stralloc_cats(to, "  why ") && log_escape(to, i->beside, strlen(i->beside), 1) &&
                           stralloc_catb(to, "\n", 1));
}

/* ---- JSON ---- */

static int
json_event(stralloc *to, struct file_event const *e, int many)
{
    return stralloc_catb(to, "{", 1) && json_uint(to, "time", e->time) &&
           (!many || (json_uint(to, "next", e->next) && json_text(to, "recipients", e->to.s, e->to.len))) &&
           json_text(to, "class", &e->class, 1) && json_text(to, "code", e->code.s, e->code.len) &&
           json_text(to, "remote", e->remote.s, e->remote.len) && json_text(to, "text", e->text.s, e->text.len) &&
           stralloc_catb(to, "}", 1);
}

static int
json_history(stralloc *to, struct item const *i)
{
    struct bytes log = {i->log.s, i->log.len};
    struct file_event e;

    if (!json_name(to, "history") || !stralloc_catb(to, "[", 1))
        return 0;
    while (file_event_next(&log, &e))
        if (!json_comma(to) || !json_event(to, &e, 1))
            return 0;
    return stralloc_catb(to, "]", 1);
}

static int
json_recipients(stralloc *to, struct item const *i)
{
    struct bytes cursor = i->file.envelope;
    struct record r;
    uint32_t n = 0;

    if (!json_name(to, "recipients") || !stralloc_catb(to, "[", 1))
        return 0;
    while (envelope_recipient(&cursor, &r)) {
        char const *status = list_status(i->file.status[n++]);
        if (!json_comma(to) || !stralloc_catb(to, "{", 1) || !json_text(to, "address", r.value.s, r.value.len) ||
            !json_text(to, "status", status, strlen(status)) || !stralloc_catb(to, "}", 1))
            return 0;
    }
    return stralloc_catb(to, "]", 1);
}

static int
json_held(stralloc *to, struct item const *i)
{
    if (!*i->held)
        return 1;
    if (!json_name(to, "held") || !stralloc_catb(to, "[", 1))
        return 0;
    for (unsigned int n = 0; i->held[n]; n++)
        if (!json_comma(to) || !json_string(to, i->held[n], strlen(i->held[n])))
            return 0;
    return stralloc_catb(to, "]", 1);
}

static int
json_good(stralloc *to, struct item const *i, uint64_t now, int history)
{
    return json_uint(to, "arrival", i->arrival) && json_uint(to, "age", age(i, now)) &&
           json_uint(to, "size", i->file.header.message) && json_uint(to, "tries", i->tries) &&
           (i->state != ITEM_WAIT || json_uint(to, "next", list_next(i, now))) && json_held(to, i) &&
           json_text(to, "sender", i->from.s, i->from.len) && json_recipients(to, i) &&
           (!i->tries || (json_name(to, "last") && json_event(to, &i->last, 0))) && (!history || json_history(to, i));
}

int
list_json(stralloc *to, struct item const *i, uint64_t now, int history)
{
    char const *state = item_word(i->state);

    return stralloc_catb(to, "{", 1) && json_text(to, "id", i->id, ID_LEN) &&
           json_text(to, "state", state, strlen(state)) &&
           (!*i->beside || json_text(to, "why", i->beside, strlen(i->beside))) &&
           (i->why ? json_text(to, item_young(i, now) ? "incomplete" : "damaged", i->why, strlen(i->why)) &&
                         json_uint(to, "bytes", (uint64_t)i->st.st_size)
                   : json_good(to, i, now, history)) &&
           stralloc_catb(to, "}\n", 2);
}
