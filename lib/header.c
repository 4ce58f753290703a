#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/header.h"

static char const *const names[HEADER_count] = {
    [HEADER_APPARENTLY_TO] = "Apparently-To",
    [HEADER_BCC] = "Bcc",
    [HEADER_CC] = "Cc",
    [HEADER_CONTENT_LENGTH] = "Content-Length",
    [HEADER_DATE] = "Date",
    [HEADER_ERRORS_TO] = "Errors-To",
    [HEADER_FROM] = "From",
    [HEADER_MAIL_FOLLOWUP_TO] = "Mail-Followup-To",
    [HEADER_MESSAGE_ID] = "Message-ID",
    [HEADER_REPLY_TO] = "Reply-To",
    [HEADER_RESENT_BCC] = "Resent-Bcc",
    [HEADER_RESENT_CC] = "Resent-Cc",
    [HEADER_RESENT_DATE] = "Resent-Date",
    [HEADER_RESENT_FROM] = "Resent-From",
    [HEADER_RESENT_MESSAGE_ID] = "Resent-Message-ID",
    [HEADER_RESENT_REPLY_TO] = "Resent-Reply-To",
    [HEADER_RESENT_SENDER] = "Resent-Sender",
    [HEADER_RESENT_TO] = "Resent-To",
    [HEADER_RETURN_PATH] = "Return-Path",
    [HEADER_RETURN_RECEIPT_TO] = "Return-Receipt-To",
    [HEADER_SENDER] = "Sender",
    [HEADER_TO] = "To",
};

static enum header_name
find_name(char const *s, size_t len)
{
    for (unsigned int i = HEADER_APPARENTLY_TO; i < HEADER_count; i++)
        if (strlen(names[i]) == len && !strncasecmp(names[i], s, len))
            return i;
    return HEADER_OTHER;
}

int
header_scan(char const *line, size_t len, enum header_name *name, size_t *body)
{
    size_t n = 0, colon;

    while (n < len && line[n] > 0x20 && line[n] < 0x7f && line[n] != ':')
        n++;
    for (colon = n; colon < len && (line[colon] == ' ' || line[colon] == '\t'); colon++)
        ;
    if (colon == len)
        return n || !len ? -1 : 0;
    if (colon > n && n == 4 && !memcmp(line, "From", 4) && line[colon] != ':') {
        *name = HEADER_MBOX;
        *body = 0;
        return line[4] == ' ';
    }
    if (!n || line[colon] != ':')
        return 0;
    *name = find_name(line, n);
    *body = colon + 1;
    return 1;
}

static int
over(struct header *h, size_t end)
{
    h->over = 1;
    h->end = end;
    return 1;
}

/* A line is complete, with its newline. Returns 1 if the header ends before it, 0 if not, -1 with ENOMEM. */
static int
take_line(struct header *h)
{
    struct header_field field = {.start = h->line, .end = h->text.len};
    char const *line = h->text.s + h->line;
    size_t count = header_count(h);
    int blank = *line == ' ' || *line == '\t';

    if (*line == '\n') {
        h->blank = 1;
        h->text.len = h->line;
        return over(h, h->line);
    }
    if (blank && count) {
        genalloc_s(struct header_field, &h->fields)[count - 1].end = h->text.len;
    } else {
        if (header_scan(line, h->text.len - h->line, &field.name, &field.body) != 1)
            return over(h, h->line);
        field.body += h->line;
        if (!genalloc_append(struct header_field, &h->fields, &field))
            return -1;
    }
    h->line = h->text.len;
    return 0;
}

/* 1 if the unfinished line can no longer become a part of the header. */
static int
hopeless(struct header const *h)
{
    char const *line = h->text.s + h->line;
    size_t len = h->text.len - h->line, body;
    enum header_name name;

    if (len && (*line == ' ' || *line == '\t'))
        return !header_count(h);
    return len && !header_scan(line, len, &name, &body);
}

int
header_feed(struct header *h, char const *s, size_t len, size_t *used)
{
    *used = 0;
    while (*used < len) {
        char const *nl = memchr(s + *used, '\n', len - *used);
        size_t n = nl ? (size_t)(nl - (s + *used)) + 1 : len - *used;

        if (!stralloc_catb(&h->text, s + *used, n))
            return -1;
        *used += n;
        if (nl) {
            int r = take_line(h);
            if (r)
                return r;
        } else if (hopeless(h)) {
            return over(h, h->line);
        }
        if (h->text.len > HEADER_MAX)
            return errno = EMSGSIZE, -1;
    }
    return 0;
}

int
header_finish(struct header *h)
{
    if (h->over)
        return 1;
    if (h->text.len > h->line) {
        if (!stralloc_append(&h->text, '\n'))
            return -1;
        int r = take_line(h);
        if (r)
            return r;
    }
    return over(h, h->text.len);
}

int
header_private(enum header_name name)
{
    return name == HEADER_BCC || name == HEADER_RESENT_BCC || name == HEADER_RETURN_PATH ||
           name == HEADER_CONTENT_LENGTH;
}

size_t
header_count(struct header const *h)
{
    return genalloc_len(struct header_field, &h->fields);
}

struct header_field const *
header_field(struct header const *h, size_t i)
{
    return genalloc_s(struct header_field, &h->fields) + i;
}

void
header_free(struct header *h)
{
    stralloc_free(&h->text);
    genalloc_free(struct header_field, &h->fields);
    *h = (struct header)HEADER_ZERO;
}
