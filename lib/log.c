#include "lib/log.h"

#include <string.h>
#include <unistd.h>

#include <skalibs/strerr.h>
#include <skalibs/types.h>

static size_t
escaped(char out[static 4], unsigned char c)
{
    static char const hex[] = "0123456789abcdef";

    if (c > 0x20 && c < 0x7f && c != '\\') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

static void
add(struct log *l, char const *s, size_t len)
{
    size_t room = LOG_MAX - 1 - l->len;

    if (len > room)
        len = room;
    memcpy(l->s + l->len, s, len);
    l->len += len;
}

void
log_start(struct log *l, char const *event)
{
    l->len = 0;
    add(l, PROG, strlen(PROG));
    add(l, ": ", 2);
    add(l, event, strlen(event));
}

void
log_bytes(struct log *l, char const *key, char const *value, size_t len)
{
    add(l, " ", 1);
    add(l, key, strlen(key));
    add(l, "=", 1);
    for (size_t i = 0; i < len && l->len < LOG_MAX - 1; i++) {
        char out[4];
        add(l, out, escaped(out, (unsigned char)value[i]));
    }
}

void
log_str(struct log *l, char const *key, char const *value)
{
    log_bytes(l, key, value, strlen(value));
}

void
log_uint(struct log *l, char const *key, uint64_t value)
{
    char digits[UINT64_FMT];

    log_bytes(l, key, digits, uint64_fmt(digits, value));
}

void
log_errno(struct log *l, int e)
{
    log_str(l, "error", strerror(e));
}

void
log_end(struct log *l)
{
    l->s[l->len++] = '\n';
    (void)!write(2, l->s, l->len);
}

void
log_died(pid_t pid, int sig)
{
    struct log l;

    log_start(&l, "died");
    log_uint(&l, "pid", (uint64_t)pid);
    log_uint(&l, "signal", (uint64_t)sig);
    log_end(&l);
}

int
log_escape(stralloc *to, char const *s, size_t len, int spaces)
{
    for (size_t i = 0; i < len; i++) {
        char out[4] = " ";
        size_t n = spaces && s[i] == ' ' ? 1 : escaped(out, (unsigned char)s[i]);
        if (!stralloc_catb(to, out, n))
            return 0;
    }
    return 1;
}
